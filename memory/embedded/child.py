"""Run a program that must not outlive its parent: `child.py PARENT PROGRAM …`.

A service that is killed outright cannot stop what it started. On Linux the kernel does it: the
program asks to be terminated when its parent dies (prctl(2), PR_SET_PDEATHSIG) and keeps that
wish across exec. Elsewhere this process stays, waits for the end of its standard input (the
parent's end of the pipe closes whichever way the parent dies) and then ends the program; PARENT
is then the word `watch`.

Run by path, not as a module: it starts in the time of a bare interpreter. Only standard library.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from typing import NoReturn

_PR_SET_PDEATHSIG = 1


def _run_and_die_with(parent: int, command: list[str]) -> NoReturn:
    """Become `command`, terminated by the kernel when the process `parent` dies.

    Raises:
        OSError: If the kernel refuses.
        SystemExit: If the parent is gone already.
    """
    # The wish is about the thread that forked us, which in the service runs the event loop.
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died before we could ask
        raise SystemExit(1)
    os.execv(command[0], command)  # noqa: S606 - the whole point: no shell between us


def _run_and_watch_input(command: list[str]) -> int:
    """Run `command` until it ends or our standard input does; return its exit status.

    The status of a program ended by a signal is 128 and the signal's number, as in a shell.
    """
    # close_fds=False: the lock on the data directory goes along, see `memory.embedded.server`.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False) as process:  # noqa: S603
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        threading.Thread(target=_end_with_input, args=(process,), daemon=True).start()
        status = process.wait()
    return status if status >= 0 else 128 - status


def _end_with_input(process: "subprocess.Popen[bytes]") -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    process.terminate()


if __name__ == "__main__":
    parent, *command = sys.argv[1:]
    if parent == "watch":
        sys.exit(_run_and_watch_input(command))
    _run_and_die_with(int(parent), command)
