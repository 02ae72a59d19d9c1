"""Which ICE candidates of a stranger are dialled.

A candidate makes us send to an address that somebody else chose, whatever is there: one that leads
inside, to a machine that only we can reach, or to this very machine, is left out unless its network
is allowed. The sender
loses little by it: its own checks reach us from wherever it really is.
https://www.rfc-editor.org/rfc/rfc8445#section-19.5
"""

from collections.abc import Sequence

from stream.address.reachable import Network, may_be_reached


def is_dialled(candidate: str, inside: Sequence[Network], own: Sequence[str] = ()) -> bool:
    """Say whether the address of `candidate` may be sent to.

    Names are not: to look up one that hides behind mDNS takes a second where nobody answers.

    Args:
        candidate: The value of an SDP attribute `candidate`.
        inside: Networks that may be dialled although they are private, or this machine's.
        own: Addresses that lead to this machine, beside those that it has.
    """
    parts = candidate.split()
    try:
        return len(parts) > 4 and may_be_reached(parts[4], inside, own)
    except ValueError:
        return False
