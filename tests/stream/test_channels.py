import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.channels import Mailbox
from stream.errors import StreamClosed


@given(st.lists(st.integers()), st.integers(min_value=1, max_value=5))
def test_the_newest_items_win_and_every_loss_is_counted(items, capacity):
    async def run():
        box = Mailbox[int](capacity)
        for item in items:
            box.put(item)
        box.close()
        got = []
        while True:
            try:
                got.append(await box.get())
            except StreamClosed:
                return got, box.lost

    got, lost = asyncio.run(run())
    assert got == items[-capacity:]
    assert lost == len(items) - len(got)


async def test_get_waits_for_put():
    box = Mailbox[int](capacity=1)
    getting = asyncio.create_task(box.get())
    await asyncio.sleep(0)
    assert not getting.done()
    box.put(7)
    assert await getting == 7


async def test_what_is_put_after_the_close_is_counted_as_lost():
    box = Mailbox[int](capacity=1)
    box.close()
    box.put(1)
    assert box.lost == 1
    with pytest.raises(StreamClosed):
        await box.get()


async def test_a_sender_that_can_wait_loses_nothing():
    box = Mailbox[int](capacity=1)
    box.put(1)
    room = asyncio.create_task(box.room())
    await asyncio.sleep(0)
    assert not room.done()
    assert await box.get() == 1
    await room
    box.put(2)
    assert box.lost == 0


async def test_a_waiting_sender_wakes_when_the_mailbox_closes():
    box = Mailbox[int](capacity=1)
    box.put(1)
    room = asyncio.create_task(box.room())
    await asyncio.sleep(0)
    box.close()
    await room


def test_a_mailbox_without_room_is_refused():
    with pytest.raises(ValueError, match="capacity=0"):
        Mailbox[int](capacity=0)
