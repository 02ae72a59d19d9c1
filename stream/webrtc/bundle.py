"""What an offer says of several media sections at once, said again in each of them.

Sections of a bundle share one transport. A sender may offer those after the first as `bundle-only`,
with port 0, and leave out what the first one says of the transport. aiortc takes every section on its
own, where port 0 means "none". https://www.rfc-editor.org/rfc/rfc9143#section-6
"""

import re
from collections.abc import Sequence
from itertools import chain

_DISCARD_PORT = "9"
"""Stands for a port that is not known yet (RFC 8840, section 4.1.1)."""
_SHARED = ("ice-ufrag", "ice-pwd", "fingerprint", "setup")

_PORT_NONE = re.compile(r"^(m=\S+) 0 ")


def unbundled(lines: Sequence[str]) -> list[str]:
    """Return the `lines` of an offer with each section of a bundle as if it stood alone.

    A section that is offered in its bundle alone gets a port; what a section does not say of its
    transport is taken from the first section of the bundle. All else stays as it is.
    """
    session, *sections = _sections(lines)
    by_mid = {mid: section for section in sections if (mid := _value(section, "mid"))}
    groups = [line.split()[1:] for line in session if line.startswith("a=group:BUNDLE ")]
    bundles = [mids for mids in groups if mids]
    tagged = {mid: by_mid.get(mids[0], []) for mids in bundles for mid in mids}
    told = [
        _on_its_own(section, session, tagged[mid]) if mid in tagged else section
        for section in sections
        for mid in (_value(section, "mid"),)
    ]
    return list(chain(session, *told))


def _on_its_own(section: list[str], session: list[str], tagged: list[str]) -> list[str]:
    head, *rest = section
    if "a=bundle-only" in rest:
        head = _PORT_NONE.sub(rf"\1 {_DISCARD_PORT} ", head)
    missing = [
        line
        for name in _SHARED
        if _value(session, name) is None and _value(section, name) is None
        for line in tagged
        if line.startswith(f"a={name}:")
    ]
    return [head, *rest, *missing]


def _sections(lines: Sequence[str]) -> list[list[str]]:
    sections: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            sections.append([])
        sections[-1].append(line)
    return sections


def _value(lines: Sequence[str], name: str) -> str | None:
    start = f"a={name}:"
    return next(
        (line.removeprefix(start).strip() for line in lines if line.startswith(start)), None
    )
