import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.backoff import Backoff


def test_waits_double_up_to_the_longest():
    waits = Backoff(1, 10, chance=lambda: 0.0)
    assert [waits.next() for _ in range(6)] == [1, 2, 4, 8, 10, 10]


def test_success_begins_anew():
    waits = Backoff(1, 10, chance=lambda: 0.0)
    waits.next()
    waits.next()
    waits.reset()
    assert waits.next() == 1


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=50))
def test_chance_takes_off_half_at_most(chances):
    draws = iter(chances)
    waits, plain = Backoff(1, 10, lambda: next(draws)), Backoff(1, 10, lambda: 0.0)
    for _ in chances:
        longest = plain.next()
        assert longest / 2 <= waits.next() <= longest


@pytest.mark.parametrize(("first", "longest"), [(0, 1), (2, 1)])
def test_waits_out_of_order_are_refused(first, longest):
    with pytest.raises(ValueError, match="ordered"):
        Backoff(first, longest)
