"""More patience than people have: on a starved machine a healthy Redis may be silent for seconds."""

from memory.redis.store import RedisStore

_SECONDS = 60.0


def be_patient() -> None:
    """Let stores wait longer, in this process, unless a test says how long."""
    for function in (RedisStore.__init__, RedisStore.connect.__func__):
        defaults = function.__kwdefaults__
        defaults.update({name: _SECONDS for name in ("patience", "within") if name in defaults})
