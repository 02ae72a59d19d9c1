import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.places import Full, Places
from web.security import Caller

ANN, BEN = Caller("ann"), Caller("ben")


def test_one_caller_cannot_take_every_place():
    places = Places("streams", in_all=3, each=2)
    places.take(1, ANN)
    places.take(2, ANN)
    with pytest.raises(Full, match="This token has its 2 streams"):
        places.take(3, ANN)
    places.take(3, BEN)
    with pytest.raises(Full, match="All 3 places"):
        places.take(4, BEN)


def test_a_place_given_back_can_be_taken_again():
    places = Places("streams", in_all=1, each=1)
    places.take(1, ANN)
    places.give_back(1)
    places.give_back(1)
    places.take(2, BEN)
    assert len(places) == 1


def test_taking_the_same_place_again_costs_nothing():
    places = Places("streams", in_all=1, each=1)
    places.take(1, ANN)
    places.take(1, ANN)
    assert len(places) == 1


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.sampled_from([ANN, BEN]))))
def test_no_limit_is_ever_passed(steps):
    places = Places("streams", in_all=3, each=2)
    held = {}
    for taking, what, caller in steps:
        if taking:
            try:
                places.take(what, caller)
            except Full:
                continue
            held[what] = caller
        else:
            places.give_back(what)
            held.pop(what, None)
        assert len(places) == len(held) <= 3
        assert all(list(held.values()).count(one) <= 2 for one in (ANN, BEN))
