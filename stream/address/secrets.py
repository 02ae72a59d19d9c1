"""What may be a secret in the text of a source, so that it is shown to nobody.

Many recorders want user and password in the path, and who forgets a slash of `rtsp://` has written
a path, too: `//admin:x@cam/live`, `rtsp:/admin:x@cam/live`, `admin:x@cam:554/live`. Such a text is no
URL whose parts are known, and is judged by what stands in it.
"""

import re
from urllib.parse import unquote

# Such as `/user=admin&password=x&channel=1.sdp`, `/user=admin_password=x_channel=1_stream=0.sdp`
# and `/admin:x@stream`.
_SECRET = re.compile(
    r"(user|usr|login|pass|pwd|psw|token|key|auth|secret|cred|sign)[^=]*=.|:.*@", re.IGNORECASE
)
_BEFORE_HOST = re.compile(r"[/\\]{2}.*@|:.*@", re.DOTALL)
"""A user before a host, in what is a path to every reader of URLs."""
_PARTS = re.compile(r"([/&;?,])")
_MOST_LAYERS = 3
"""Of percent-encoding: a URL that was encoded as a parameter of another, and once more."""


def may_hold_secret(text: str) -> bool:
    """Say whether `text`, which is no URL and no file, may hold a user, a password or a key."""
    plain = _decoded(text)
    return _BEFORE_HOST.search(plain) is not None or any(map(_SECRET.search, _PARTS.split(plain)))


def without_secrets(path: str) -> str:
    """Return `path` without what it calls a user, a password, a key or the like."""
    shown, parts = list[str](), _PARTS.split(path)
    for number, part in enumerate(parts):
        # A slash ends no password where others follow it: `/user=admin_password=ab/cd_channel=1`.
        more = any("=" in later for later in parts[number:])
        goes_on = more and shown[-1:] == ["/"] and shown[-2].endswith("=…")
        shown.append("…" if goes_on else _hidden(part))
    return "".join(shown)


def _hidden(part: str) -> str:
    if _SECRET.search(_decoded(part)) is None:
        return part
    name, equals, _ = part.partition("=")
    return f"{name}=…" if equals else "…"


def _decoded(text: str) -> str:
    for _ in range(_MOST_LAYERS):
        text = unquote(text)
    return text
