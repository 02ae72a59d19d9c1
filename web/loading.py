"""The model as the settings ask for it, for the service and for `flashback ask`."""

from collections.abc import Callable

from model.engine import Engine
from web.settings import Settings


def load(settings: Settings, progress: Callable[[str], None]) -> Engine:
    """Return a loaded engine. Blocks meanwhile.

    Args:
        settings: Which, and with how much memory.
        progress: Told in words what is being done.
    """
    # Late, because it loads the language libraries: seconds that commands without a model save.
    from model.presets import load_engine

    return load_engine(
        settings.model,
        history_bytes=settings.history_bytes,
        budget=settings.visual_budget or None,
        as_released=settings.as_released,
        stretch=settings.stretch,
        progress=progress,
    )
