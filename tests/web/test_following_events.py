"""`flashback watch events --follow`: nothing is left out and nothing said twice, also over a restart."""

from itertools import islice

import pytest

from flashback_client import FlashbackError, WatchEvent
from flashback_client.following import following


def event(key, at):
    return WatchEvent.model_construct(id=key, at=at)


class Service:
    """Keeps events; what follows it is told by `rounds` what happens before each look."""

    def __init__(self, *events):
        self.events, self.away, self.said = list(events), None, []

    def newest(self, after=0.0, limit=500):
        if self.away is not None:
            raise self.away
        found = [one for one in self.events if one.at > after]
        return sorted(found, key=lambda one: one.at)[-limit:]

    def follow(self, *rounds):
        """Return the ids that each round yields; a round is done before it is looked."""
        told = following(self.newest, self.newest(), lambda away: self.said.append(str(away)))
        got = []
        for change in rounds:
            change()
            got += [[one.id for one in found] for found in islice(told, 1)]
        return got

    def has(self, *events):
        return lambda: self.events.extend(events)

    def is_away(self, away):
        return lambda: setattr(self, "away", away)


def test_what_fires_is_said_once():
    service = Service(event("a", 100))
    assert service.follow(service.has(event("b", 110)), service.has()) == [["b"], []]


def test_what_is_told_later_than_a_younger_one_is_said_too():
    """The model was asked about the older one."""
    service = Service(event("a", 100))
    later = service.follow(
        service.has(event("c", 130)), service.has(event("b", 105)), service.has()
    )
    assert later == [["c"], ["b"], []]


def test_two_at_the_same_second_are_both_said():
    service = Service()
    assert service.follow(service.has(event("a", 5)), service.has(event("b", 5))) == [["a"], ["b"]]


def test_a_restart_of_the_service_is_waited_for_and_said_once_each_time():
    service = Service(event("a", 100))
    away, back = service.is_away(FlashbackError("no service answers")), service.is_away(None)

    def back_with_b():
        back()
        service.events.append(event("b", 105))

    assert service.follow(away, away, back_with_b, away, back) == [[], [], ["b"], [], []]
    assert service.said == ["no service answers"] * 2


def test_what_was_there_before_is_not_said_again_once_it_is_old():
    service = Service(*(event(str(n), n) for n in range(0, 1000, 50)))
    rounds = [service.has(event(f"new {n}", 1000 + 100 * n)) for n in range(5)]
    assert service.follow(*rounds, service.has()) == [[f"new {n}"] for n in range(5)] + [[]]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_service_that_fails_itself_is_waited_for_too(status):
    service = Service()
    fails = service.is_away(FlashbackError("The memory is away.", status))
    assert service.follow(fails, service.is_away(None)) == [[], []]
    assert service.said == ["The memory is away."]


@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_what_the_service_refuses_ends_it(status):
    service = Service()
    with pytest.raises(FlashbackError, match=r"^No\.$"):
        service.follow(service.is_away(FlashbackError("No.", status)))
