"""Tells lmms-eval that there is a model called flashback. Found by it as an entry point of this package."""

import importlib
from typing import Any

MODEL = f"{__package__}.model.FlashbackModel"


def manifest() -> Any:  # noqa: ANN401 - lmms-eval's own type, which is not a dependency
    """Return what lmms-eval wants to know of a model before it is loaded."""
    registry = importlib.import_module("lmms_eval.models.registry_v2")
    return registry.ModelManifest(model_id="flashback", simple_class_path=MODEL)
