"""What clips show in words, without the language model being asked."""

from dataclasses import replace

from model.engine.local import LocalEngine
from model.video_chat import VideoChat
from model.vision.things import Thing
from model.zoo.tiny import tiny
from tests.model.engines import encoded


async def words(parts, clips, what="words"):
    engine = LocalEngine(VideoChat(parts))
    try:
        return await getattr(engine, what)(clips)
    finally:
        await engine.close()


async def test_a_model_without_words_says_so_of_any_clips():
    assert await words(tiny(), encoded(2)) is None
    assert await words(tiny(), []) is None


async def test_the_words_of_each_clip_come_in_the_order_of_the_clips():
    parts = replace(tiny(), words=lambda clip: [(f"thing {clip.start:.0f}", 0.9)])
    assert await words(parts, encoded(2)) == [[("thing 0", 0.9)], [("thing 4", 0.9)]]
    assert await words(parts, []) == []


async def test_the_things_of_each_clip_come_in_the_order_of_the_clips():
    assert await words(tiny(), [], "things") is None
    parts = replace(tiny(), things=lambda clip: [Thing(round(clip.start))])
    shown = await words(parts, encoded(6), "things")
    assert shown == [[Thing(4 * place)] for place in range(6)]
