"""What Ctrl-C, `kill` and a terminal that closes do to a command.

While it loads there is nothing to put in order, so it just leaves: libraries in the middle of being
imported answer an exception with a page of their own, or abort. Once it works, Ctrl-C is the
exception that unwinds it.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPED = 130
"""The exit code of what was stopped, as shells have it for Ctrl-C."""


def exit_on_sigint() -> None:
    """Let Ctrl-C end this process without a word, from now on."""
    # Also where the parent ignores it (`nohup`, a script's `&`): we inherit that and must not.
    signal.signal(signal.SIGINT, _leave)


def raise_on_sigint() -> None:
    """Let Ctrl-C raise KeyboardInterrupt, from now on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def raise_instead(wanted: signal.Signals, *others: signal.Signals) -> None:
    """Treat `others` as `wanted`, from now on; one that the parent ignores (`nohup`) stays ignored."""

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        signal.raise_signal(wanted)

    for other in others:
        if signal.getsignal(other) is not signal.SIG_IGN:
            signal.signal(other, pass_on)


@contextmanager
def signals_as_interrupt() -> Iterator[None]:
    """Let every signal that means the end raise KeyboardInterrupt, within.

    For what starts processes of its own, or keeps what it has done: `kill` would leave both behind.
    """
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(each) for each in signals]
    raise_on_sigint()
    raise_instead(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    try:
        yield
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)


@contextmanager
def defer_interrupt() -> Iterator[None]:
    """Let Ctrl-C wait until the end of what may not be left half done.

    In another thread than the main one, which alone is interrupted, this does nothing.

    Raises:
        KeyboardInterrupt: At the end, if it came meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = False

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal came
        came = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(STOPPED)
