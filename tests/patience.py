"""More patience than people have: on a starved machine whatever is healthy may be silent for seconds."""

from dataclasses import fields

from memory.redis.store import RedisStore
from stream.pull.process import PullSettings

_SECONDS = 60.0


def be_patient() -> None:
    """Let stores wait longer, in this process, unless a test says how long."""
    _wait_for(RedisStore.__init__.__kwdefaults__, "within")
    _wait_for(RedisStore.connect.__func__.__kwdefaults__, "within", "timeout")


def be_patient_with_sources() -> None:
    """Let sources be opened as slowly as that, in this process, unless a test says how long."""
    create = PullSettings.__init__
    each = zip(fields(PullSettings), create.__defaults__, strict=True)
    create.__defaults__ = tuple(
        _SECONDS if field.name == "open_within" else value for field, value in each
    )


def _wait_for(defaults: dict[str, object], *names: str) -> None:
    assert set(names) <= set(defaults), "a parameter has another name now"
    defaults.update(dict.fromkeys(names, _SECONDS))
