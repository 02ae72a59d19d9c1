import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.access.quotas import MAX_TAKEOVERS, Quota, share
from web.access.tokens import Caller
from web.errors import Full

ANN, BEN, OPERATOR = Caller("ann"), Caller("ben"), Caller("operator")


def test_one_caller_cannot_take_every_place():
    places = Quota("streams", total=3, each=2)
    places.acquire(1, ANN)
    places.acquire(2, ANN)
    with pytest.raises(Full, match="This token has its 2 streams"):
        places.acquire(3, ANN)
    places.acquire(3, BEN)
    with pytest.raises(Full, match="All 3 places"):
        places.acquire(4, BEN)


def test_a_token_may_have_all_if_it_is_the_only_one_and_half_if_not_unless_it_is_set():
    assert [share(64, callers) for callers in (0, 1, 2, 3)] == [64, 64, 32, 32]
    assert [share(total, 2) for total in (0, 1, 3)] == [0, 1, 2]
    assert share(64, 2, chosen=50) == 50


def test_a_place_given_back_can_be_taken_again():
    places = Quota("streams", total=1, each=1)
    place = places.acquire(1, ANN)
    place.release()
    place.release()
    places.acquire(2, BEN)
    assert len(places) == 1


def test_a_place_is_given_back_by_with_also_after_an_error():
    places = Quota("streams", total=1, each=1)
    with pytest.raises(ZeroDivisionError), places.acquire(1, ANN):
        _ = 1 / 0
    assert len(places) == 0


def test_who_takes_over_at_the_limit_is_let_in_and_keeps_the_place():
    places = Quota("streams", total=1, each=1)
    before = places.acquire("cam", ANN)
    after = places.acquire("cam", BEN)
    before.release()
    assert len(places) == 1
    places.acquire("cam", BEN).release()
    with pytest.raises(Full, match="All 1"):
        places.acquire("other", ANN)
    after.release()
    places.acquire("other", ANN)


def test_a_place_that_was_taken_over_counts_for_the_one_who_has_it_now():
    places = Quota("streams", total=9, each=1)
    before = places.acquire("cam", ANN)
    places.acquire("cam", BEN)
    before.release()
    places.acquire("other", ANN)
    with pytest.raises(Full, match="This token"):
        places.acquire("third", BEN)


def test_a_takeover_that_fails_takes_nothing_from_the_one_before():
    places = Quota("streams", total=1, each=1)
    places.acquire("cam", ANN)
    places.acquire("cam", BEN).release()
    with pytest.raises(Full):
        places.acquire("other", BEN)


def test_a_place_is_not_fought_over_without_a_bound():
    places = Quota("streams", total=1, each=1)
    held = [places.acquire("cam", ANN) for _ in range(MAX_TAKEOVERS)]
    with pytest.raises(Full, match="try again soon"):
        places.acquire("cam", ANN)
    held[0].release()
    places.acquire("cam", ANN)


def test_the_operator_has_no_limit_but_the_one_in_all():
    places = Quota("streams", total=3, each=1, exempt={OPERATOR})
    for name in "abc":
        places.acquire(name, OPERATOR)
    with pytest.raises(Full, match="All 3"):
        places.acquire("d", OPERATOR)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.sampled_from([ANN, BEN]))))
def test_no_limit_is_ever_passed(steps):
    places = Quota("streams", total=3, each=2)
    held = []
    for taking, what, caller in steps:
        if taking:
            try:
                held.append((what, caller, places.acquire(what, caller)))
            except Full:
                continue
        elif held:
            held.pop(what % len(held))[2].release()
        assert len(places) == len({what for what, _, _ in held}) <= 3
        for one in (ANN, BEN):
            assert len({what for what, caller, _ in held if caller == one}) <= 2
