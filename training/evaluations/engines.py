"""The model that is evaluated: as the service would run it, or with nothing dropped inside it."""

from collections.abc import Callable

from model.engine.contract import Engine
from model.errors import ModelUnavailable
from web.errors import Failed
from web.settings import Settings

QUESTION, SUBTITLED = 1024, 12_288
"""Tokens of a question, at most; where the subtitles of a whole film stand in it."""


def open_engine(
    settings: Settings, *, dropout: bool, subtitled: bool, progress: Callable[[str], None]
) -> Engine:
    """Return the engine. Blocks while it is loaded.

    Args:
        settings: Which model, and how it is run.
        dropout: Whether visual tokens are dropped inside the language model.
        subtitled: Whether questions hold the subtitles of whole films.
        progress: Told in words what is being done.

    Raises:
        Failed: If it cannot be loaded.
    """
    # Late, because it loads the language libraries.
    from model.zoo.presets import load_engine

    try:
        return load_engine(
            settings.model,
            history_bytes=settings.history_bytes,
            budget=settings.visual_budget or None,
            as_released=settings.as_released,
            stretch=settings.stretch,
            drops=dropout,
            question_tokens=SUBTITLED if subtitled else QUESTION,
            cache=settings.cache,
            progress=progress,
        )
    except ModelUnavailable as error:
        raise Failed(str(error)) from None
