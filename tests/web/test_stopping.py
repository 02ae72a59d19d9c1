"""Ctrl-C and its like: what is at work unwinds, what may not be left half done is finished."""

import signal

import pytest

from web.cli.signals import defer_interrupt, signals_as_interrupt

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def as_before():
    # Not as they were: what runs the tests may ignore some, as `nohup` does.
    before = [signal.signal(each, signal.SIG_DFL) for each in SIGNALS]
    yield [signal.SIG_DFL for _ in SIGNALS]
    for each, handler in zip(SIGNALS, before, strict=True):
        signal.signal(each, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_every_signal_that_means_the_end_unwinds_what_is_at_work(as_before, number):
    with pytest.raises(KeyboardInterrupt), signals_as_interrupt():
        signal.raise_signal(number)
    assert [signal.getsignal(each) for each in SIGNALS] == as_before


def test_a_terminal_that_closes_does_not_end_what_was_started_with_nohup(as_before):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with signals_as_interrupt():
        signal.raise_signal(signal.SIGHUP)


def test_what_may_not_be_left_half_done_is_finished_first(as_before):
    done = []
    with pytest.raises(KeyboardInterrupt), signals_as_interrupt(), defer_interrupt():  # noqa: PT012
        signal.raise_signal(signal.SIGTERM)
        done.append("the rest")
    assert done == ["the rest"]
