"""Opens and reads sources in the process of the test, by a clock that only playing moves."""

import time
from itertools import pairwise

from stream.address.source_url import read_source
from stream.pull.decode import Picker
from stream.pull.io.open import open_source as open_by_clock
from stream.pull.messages import ReaderConfig

LOOPBACK = ("127.0.0.0/8",)


class PlayClock:
    """A clock that only sleeping moves: a source plays in no time, at its own pace."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class HurriedClock(PlayClock):
    """A clock that is ten seconds further at every look: what is waited for is waited for in no time."""

    def __call__(self):
        self.now += 10
        return self.now


def open_source(wanted, clock=time.monotonic):
    return open_by_clock(wanted, clock)


def order(url, **settings):
    source = read_source(url, local=True)
    return ReaderConfig(
        scheme=source.scheme,
        host=source.host,
        port=source.port,
        path=source.path,
        username=source.username,
        password=source.password,
        memory=-1,
        **{
            "address": source.host,
            "allowed": LOOPBACK,
            "open_within": 60.0,
            "silence": 60.0,
            **settings,
        },
    )


def look(wanted, rate=2.0):
    """Read a source to its end; return the picker and what was picked."""
    clock = PlayClock()
    source = open_source(wanted)
    try:
        picker = Picker(source, rate, clock, clock.sleep)
        return picker, list(picker.pictures())
    finally:
        source.close()


def steps(picked):
    return [b.time - a.time for a, b in pairwise(picked)]
