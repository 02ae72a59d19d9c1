"""A stream's time in slices, for a timeline."""

import pytest

from memory.local_store import LocalStore
from memory.store import Moment
from stream.moments import slices as slices_module
from stream.moments.slices import cut, slices
from tests.web.conftest import remember

CLIPS = [Moment(0.0, 3.0), Moment(4.0, 7.0), Moment(20.0, 23.0)]


def starts(found):
    return [slice_.moment and slice_.moment.start for slice_ in found]


def test_every_slice_has_the_first_moment_that_reaches_into_it():
    assert starts(cut(CLIPS, 0, 24, 4)) == [0, 4, None, 20]
    assert starts(cut(CLIPS, 5, 6, 2)) == [4, 4]
    assert starts(cut(CLIPS, 100, 200, 2)) == [None, None]
    assert [(s.start, s.end) for s in cut((), -4, 4, 2)] == [(-4, 0), (0, 4)]


@pytest.mark.parametrize(("since", "until", "count"), [(1, 1, 3), (2, 1, 3), (0, 1, 0)])
def test_no_time_is_not_cut(since, until, count):
    with pytest.raises(ValueError, match="cannot be cut"):
        cut(CLIPS, since, until, count)


@pytest.mark.parametrize("whole", [2000, 5])
async def test_hours_and_days_are_cut_alike(monkeypatch, whole):
    monkeypatch.setattr(slices_module, "_READ_WHOLE", whole)
    store = LocalStore("echo-encoder")
    await remember(store, "cam", clips=30)
    found = await slices(store, "cam", 0, 240, 6)
    assert [slice_.moment is not None for slice_ in found] == [True, True, True, False, False, False]  # fmt: skip
