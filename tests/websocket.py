"""WebSockets as the tests open them."""

import websockets

_SECONDS = 60.0


def connect(address, **options):
    """Open a WebSocket, without a proxy and with patience.

    A machine that is starved may take longer than the usual ten seconds, and is not at fault.
    """
    patience = {"open_timeout": _SECONDS, "ping_timeout": None}
    return websockets.connect(address, **{"proxy": None} | patience | options)
