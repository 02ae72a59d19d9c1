"""Everything that can be set from outside, read once, here and nowhere else.

A variable that is misspelt or does not fit stops the start with a sentence: a service that
quietly ignores `FLASHBACK_TOKNE` is an open camera server.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from pydantic import ValidationError, model_validator

from web.errors import BadValue
from web.setting_parts.access import AccessSettings
from web.setting_parts.group import PREFIX
from web.setting_parts.memory import MemorySettings
from web.setting_parts.network import NetworkSettings
from web.setting_parts.operations import OperationsSettings
from web.setting_parts.streams import StreamsSettings


# Their fields stand in this order from the last to the first.
class Settings(
    NetworkSettings, OperationsSettings, StreamsSettings, MemorySettings, AccessSettings
):
    """The service's settings; the variable `FLASHBACK_SAMPLE_RATE` sets `sample_rate`."""

    @model_validator(mode="after")
    def _room_for_sources(self) -> Self:
        if len(self.source) > self.max_streams:
            raise ValueError(
                f"{PREFIX}SOURCE names {len(self.source)} streams; {PREFIX}MAX_STREAMS allows "
                f"{self.max_streams}"
            )
        return self

    @model_validator(mode="after")
    def _known_in_the_cluster(self) -> Self:
        anywhere = self.host in {"0.0.0.0", "::"} and not self.advertised_host  # noqa: S104 - compared
        if self.cluster and self.cluster_url is None and (anywhere or not self.port):
            raise ValueError(
                f"{PREFIX}CLUSTER needs {PREFIX}CLUSTER_URL: other hosts cannot know under which "
                "address this one is reached"
            )
        return self

    @model_validator(mode="after")
    def _shared_memory(self) -> Self:
        if self.ray_address and self.cluster and self.redis_url is None:
            raise ValueError(
                f"{PREFIX}RAY_ADDRESS needs {PREFIX}REDIS_URL: hosts share what was seen, and an "
                "embedded Redis is reached by this machine alone"
            )
        return self

    @property
    def own_url(self) -> str:
        """The URL under which clients reach this host of a cluster."""
        host = self.advertised_host or self.host
        return self.cluster_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def tokens_at(self) -> Path:
        """The file of named tokens."""
        return (self.token_file or self.data / "tokens.json").expanduser()

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **overrides: object) -> "Settings":
        """Read settings from `environ`; `overrides` that are not None win over it.

        Raises:
            BadValue: If a value does not fit, or a `FLASHBACK_` variable is not a setting.
        """
        found: dict[str, object] = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environ.items()
            if name.startswith(PREFIX) and value  # empty is how compose files say "not set"
        }
        # And scripts: `--host "$HOST"` must not open every address, nor `--data "$DATA"` be here.
        found |= {
            name: value for name, value in overrides.items() if value is not None and value != ""
        }
        try:
            return cls.model_validate(found)
        except ValidationError as error:
            problems = "; ".join(
                _sentence(e["type"], e["msg"], e["loc"]) for e in error.errors(include_input=False)
            )
            raise BadValue(problems) from None


def read_settings(**overrides: object) -> Settings:
    """Read settings from the environment of this process; see `Settings.from_env`.

    Raises:
        BadValue: If a value does not fit, or a `FLASHBACK_` variable is not a setting.
    """
    return Settings.from_env(os.environ, **overrides)


def variables() -> Iterator[tuple[str, str, str]]:
    """Yield every variable's name, its default as text, and what it means."""
    for name, field in Settings.model_fields.items():
        default = "" if field.default in {None, ()} else _said(field.default)
        yield PREFIX + name.upper(), default, field.description or ""


def _said(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _sentence(kind: str, message: str, place: tuple[int | str, ...]) -> str:
    if not place:  # about several settings together: the message names them
        return message.removeprefix("Value error, ")
    name = PREFIX + str(place[0]).upper()
    if kind == "extra_forbidden":
        return f"{name} is not a setting; `flashback serve --help` lists them"
    return f"{name}: {message.removeprefix('Value error, ')}"
