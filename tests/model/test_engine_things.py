"""What clips show, thing by thing, without the language model being asked."""

from dataclasses import replace

from model.engine.local import LocalEngine
from model.video_chat import VideoChat
from model.vision.things import Thing
from model.zoo.tiny import tiny
from tests.model.engines import encoded


async def things(parts, clips):
    engine = LocalEngine(VideoChat(parts))
    try:
        return await engine.things(clips)
    finally:
        await engine.close()


async def test_a_model_that_sees_no_things_says_so_of_any_clips():
    assert await things(tiny(), encoded(2)) is None
    assert await things(tiny(), []) is None


async def test_the_things_of_each_clip_come_in_the_order_of_the_clips():
    parts = replace(tiny(), things=lambda clip: [Thing(round(clip.start))])
    shown = await things(parts, encoded(6))
    assert shown == [[Thing(4 * place)] for place in range(6)]
    assert await things(parts, []) == []
