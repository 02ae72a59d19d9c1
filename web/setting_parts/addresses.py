"""Addresses in settings: what each must have, said without repeating it, for it may hold a password."""

from urllib.parse import SplitResult, urlsplit


def read_address(url: str, schemes: tuple[str, ...], wanted: str) -> SplitResult:
    """Return the parts of an address that has one of `schemes`, a host, and no port or one that can be used.

    Raises:
        ValueError: If it is not one; the message is `wanted`.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and parts.hostname and parts.port != 0
    except (
        ValueError
    ):  # its words are those of the address: of `name:password` the password is a port
        usable = False
    if not usable:
        raise ValueError(wanted)
    return parts
