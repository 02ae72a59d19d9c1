import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.auth import Caller
from web.quotas import CONTENDERS, Full, Places, share

ANN, BEN, OPERATOR = Caller("ann"), Caller("ben"), Caller("operator")


def test_one_caller_cannot_take_every_place():
    places = Places("streams", in_all=3, each=2)
    places.take(1, ANN)
    places.take(2, ANN)
    with pytest.raises(Full, match="This token has its 2 streams"):
        places.take(3, ANN)
    places.take(3, BEN)
    with pytest.raises(Full, match="All 3 places"):
        places.take(4, BEN)


def test_a_token_may_have_all_if_it_is_the_only_one_and_half_if_not_unless_it_is_set():
    assert [share(64, callers) for callers in (0, 1, 2, 3)] == [64, 64, 32, 32]
    assert [share(total, 2) for total in (0, 1, 3)] == [0, 1, 2]
    assert share(64, 2, chosen=50) == 50


def test_a_place_given_back_can_be_taken_again():
    places = Places("streams", in_all=1, each=1)
    place = places.take(1, ANN)
    place.give_back()
    place.give_back()
    places.take(2, BEN)
    assert len(places) == 1


def test_a_place_is_given_back_by_with_also_after_an_error():
    places = Places("streams", in_all=1, each=1)
    with pytest.raises(ZeroDivisionError), places.take(1, ANN):
        _ = 1 / 0
    assert len(places) == 0


def test_who_takes_over_at_the_limit_is_let_in_and_keeps_the_place():
    places = Places("streams", in_all=1, each=1)
    before = places.take("cam", ANN)
    after = places.take("cam", BEN)
    before.give_back()
    assert len(places) == 1
    places.take("cam", BEN).give_back()
    with pytest.raises(Full, match="All 1"):
        places.take("other", ANN)
    after.give_back()
    places.take("other", ANN)


def test_a_place_that_was_taken_over_counts_for_the_one_who_has_it_now():
    places = Places("streams", in_all=9, each=1)
    before = places.take("cam", ANN)
    places.take("cam", BEN)
    before.give_back()
    places.take("other", ANN)
    with pytest.raises(Full, match="This token"):
        places.take("third", BEN)


def test_a_takeover_that_fails_takes_nothing_from_the_one_before():
    places = Places("streams", in_all=1, each=1)
    places.take("cam", ANN)
    places.take("cam", BEN).give_back()
    with pytest.raises(Full):
        places.take("other", BEN)


def test_a_place_is_not_fought_over_without_a_bound():
    places = Places("streams", in_all=1, each=1)
    held = [places.take("cam", ANN) for _ in range(CONTENDERS)]
    with pytest.raises(Full, match="try again soon"):
        places.take("cam", ANN)
    held[0].give_back()
    places.take("cam", ANN)


def test_the_operator_has_no_limit_but_the_one_in_all():
    places = Places("streams", in_all=3, each=1, exempt={OPERATOR})
    for name in "abc":
        places.take(name, OPERATOR)
    with pytest.raises(Full, match="All 3"):
        places.take("d", OPERATOR)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.sampled_from([ANN, BEN]))))
def test_no_limit_is_ever_passed(steps):
    places = Places("streams", in_all=3, each=2)
    held = []
    for taking, what, caller in steps:
        if taking:
            try:
                held.append((what, caller, places.take(what, caller)))
            except Full:
                continue
        elif held:
            held.pop(what % len(held))[2].give_back()
        assert len(places) == len({what for what, _, _ in held}) <= 3
        for one in (ANN, BEN):
            assert len({what for what, caller, _ in held if caller == one}) <= 2
