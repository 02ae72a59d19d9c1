"""What groups of settings have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

PREFIX = "FLASHBACK_"


class Group(BaseModel):
    """Settings about one thing; `web/settings.py` puts the groups together."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def field(default: Any, meaning: str, **limits: Any) -> Any:  # noqa: ANN401 - as pydantic's Field
    """Return a setting: its default, what it means and what it may be."""
    return Field(default=default, description=meaning, **limits)
