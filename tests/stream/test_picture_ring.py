import errno
import os

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.pull.frame_ring import PLACES, PictureRing


@pytest.fixture
def ring():
    ring = PictureRing.make(64)
    yield ring
    ring.close()


@given(st.integers(1, 64), st.integers(1, 64), st.integers(0, 2**32 - 1))
def test_a_picture_arrives_unchanged(height, width, seed):
    ring = PictureRing.make(64)
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    number = ring.write(picture)
    assert (ring.read(number, height, width) == picture).all()
    ring.close()


def test_a_reader_that_was_overtaken_is_told(ring):
    pictures = [np.full((4, 4, 3), i, dtype=np.uint8) for i in range(PLACES + 1)]
    numbers = [ring.write(picture) for picture in pictures]
    assert ring.read(numbers[0], 4, 4) is None
    assert [int(ring.read(n, 4, 4)[0, 0, 0]) for n in numbers[1:]] == [1, 2, 3]


def test_a_picture_that_is_being_written_is_not_read(ring):
    number = ring.write(np.zeros((4, 4, 3), dtype=np.uint8))
    at = (number % PLACES) * ring._size
    ring._map[at] += 1
    assert ring.read(number, 4, 4) is None


def test_a_picture_that_was_never_written_is_not_read(ring):
    assert ring.read(5, 4, 4) is None


def test_what_does_not_fit_is_refused(ring):
    with pytest.raises(ValueError, match="does not fit"):
        ring.write(np.zeros((200, 200, 3), dtype=np.uint8))
    for height, width in ((200, 200), (-1, 4), (0, 4)):
        with pytest.raises(ValueError, match="does not fit"):
            ring.read(1, height, width)


def test_closing_twice_is_fine(ring):
    ring.close()
    ring.close()


def test_what_cannot_be_made_leaves_nothing_open(monkeypatch):
    def fail(_descriptor, _size):
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(os, "ftruncate", fail)
    before = psutil.Process().num_fds()
    with pytest.raises(OSError, match="allocate"):
        PictureRing.make(64)
    assert psutil.Process().num_fds() == before
