"""What Ray reads from the environment, once, when it is imported; whoever runs us may set it otherwise."""

import os

_DEFAULTS = {
    # Whoever reached Ray's ports could run code without it.
    "RAY_AUTH_MODE": "token",
    # Nothing is reported to anybody.
    "RAY_USAGE_STATS_ENABLED": "0",
    # By default workers give way to everything else on the machine; ours are the service.
    "RAY_worker_niceness": "0",
    # A process of Ray that has not reached the head for so long ends itself, and this host with it. A
    # head that is started again elsewhere needs more than Ray's minute.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
    # What it adds to lines that look alike ("repeated 2x") would be in the midst of JSON.
    "RAY_DEDUP_LOGS": "0",
}


def set_defaults() -> None:
    """Set what is not set; before Ray is imported."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
