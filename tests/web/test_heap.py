"""Freed memory is given back after loading, and again once the process has grown."""

import asyncio
import contextlib
import sys

import pytest

from web.operations.heap import Heap, glibc_trim

MIB = 2**20


async def trims(sizes, *, given_back=0):
    """Return before which looks memory was given back, where the process grows as `sizes` say."""
    looks, at = [], iter(sizes)
    now = [next(at)]

    async def held():
        return now[0] * MIB

    def trim():
        looks.append(now[0])
        now[0] -= given_back

    async def sleep(_seconds):
        try:
            now[0] = next(at)
        except StopIteration:
            raise asyncio.CancelledError from None

    with contextlib.suppress(asyncio.CancelledError):
        await Heap(held, trim, sleep).run()
    return looks


async def test_it_is_given_back_once_after_loading_and_whenever_the_process_has_grown():
    assert await trims([1000, 1001, 1063, 1064, 1100, 1128]) == [1000, 1064, 1128]


async def test_it_counts_from_what_was_left_when_it_gave_back():
    assert await trims([1000, 763, 764, 820], given_back=300) == [1000, 764, 820]


async def test_a_process_that_does_not_grow_is_left_alone():
    assert await trims([1000] * 50) == [1000]


async def test_where_nobody_can_give_back_nothing_is_done():
    async def never():
        raise AssertionError

    await Heap(never, None).run()


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
async def test_glibc_takes_the_call():
    trim = glibc_trim()
    if trim is None:
        pytest.skip("this is not glibc")
    await asyncio.to_thread(trim)
