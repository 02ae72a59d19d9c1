"""Names that nobody can guess or reuse: for events, responses, lines and WebRTC sessions."""

import secrets


def new_id(kind: str) -> str:
    """Return a new identifier that says what it names, such as `resp_8f0c…` (96 random bits)."""
    return f"{kind}_{secrets.token_hex(12)}"
