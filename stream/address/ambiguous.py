"""URLs that a password cuts in two.

A `/`, `?` or `#` in a password ends the host for every reader of URLs: `rtsp://admin:12345/7x@cam`
names the host `admin`, and the rest of the password is a path, to be dialled and shown. So a URL
that can be read in two ways is refused. https://datatracker.ietf.org/doc/html/rfc3986#section-3.2
"""

import re

# An @ after the host, a fragment, or a second @ before the host's end.
_AMBIGUOUS = re.compile(r"[^/?#]*([/?#].*@|.*#)|[^/?#]*@[^/?#]*@", re.DOTALL)
ENCODE = (
    "In a user name or password write / as %2F, ? as %3F, # as %23 and @ as %40; an @ after the host "
    "is %40, too, and nothing may follow a #."
)


def is_ambiguous(rest: str) -> bool:
    """Say whether `rest`, a URL without its scheme, may hold a password that cuts it in two."""
    return _AMBIGUOUS.match(rest) is not None
