"""What clips show in words, without the language model being asked."""

from dataclasses import replace

from model.engine.local import LocalEngine
from model.video_chat import VideoChat
from model.zoo.tiny import tiny
from tests.model.engines import encoded


async def words(parts, clips):
    engine = LocalEngine(VideoChat(parts))
    try:
        return await engine.words(clips)
    finally:
        await engine.close()


async def test_a_model_without_words_says_so_of_any_clips():
    assert await words(tiny(), encoded(2)) is None
    assert await words(tiny(), []) is None


async def test_the_words_of_each_clip_come_in_the_order_of_the_clips():
    parts = replace(tiny(), words=lambda clip: [(f"thing {clip.start:.0f}", 0.9)])
    assert await words(parts, encoded(2)) == [[("thing 0", 0.9)], [("thing 4", 0.9)]]
    assert await words(parts, []) == []
