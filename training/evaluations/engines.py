"""The model that is evaluated: as the service would run it, or with nothing dropped inside it."""

from collections.abc import Callable

from model.config import DropoutConfig
from model.engine.contract import Engine
from model.engine.local import LocalEngine
from model.errors import ModelUnavailable
from model.video_chat import VideoChat
from web.cli.failed import Failed
from web.services import load_model
from web.settings import Settings


def open_engine(settings: Settings, *, dropout: bool, progress: Callable[[str], None]) -> Engine:
    """Return the engine. Blocks while it is loaded.

    Args:
        settings: Which model, and how it is run.
        dropout: Whether visual tokens are dropped inside the language model.
        progress: Told in words what is being done.

    Raises:
        Failed: If it cannot be loaded.
    """
    try:
        if dropout:
            return load_model(settings, progress)
        return _without_dropout(settings, progress)
    except ModelUnavailable as error:
        raise Failed(str(error)) from None


def _without_dropout(settings: Settings, progress: Callable[[str], None]) -> Engine:
    # Late, because it loads the language libraries.
    from model.zoo.presets import load_parts, stretched

    parts = load_parts(settings.model, as_released=settings.as_released, progress=progress)
    if settings.stretch > 1:
        parts = stretched(parts, settings.stretch)
    chat = VideoChat(parts, DropoutConfig())
    return LocalEngine(chat, history_bytes=settings.history_bytes or 2 << 30)
