"""A history rebuilt from what memory keeps is the history that watched."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memory import codec
from model.tiny import tiny
from model.types import Clip, Question
from model.video_chat import VideoChat
from tests.model import small_networks as small

CHAT = VideoChat(tiny())
QUESTION = Question("What was shown?")


def filmed(number, generator):
    frames = 4 if number % 3 else 2
    pixels = torch.randint(0, 256, (frames, 24, 32, 3), dtype=torch.uint8, generator=generator)
    return Clip(pixels, 4.0 * number, 4.0 * number + 3)


@settings(deadline=None, max_examples=15)
@given(clips=st.integers(1, 9), seed=st.integers(0, 1000), data=st.data())
def test_stored_clips_rebuild_the_history_that_saw_them(clips, seed, data):
    generator = torch.Generator().manual_seed(seed)
    live, stored = CHAT.open(), []
    for number in range(clips):
        tokens = CHAT.encode([filmed(number, generator)])
        CHAT.extend(live, tokens)
        stored += [codec.encode(clip, CHAT.parts.encoder_name) for clip in tokens]
    rebuilt = CHAT.open()
    back = [codec.decode(clip, CHAT.parts.encoder_name) for clip in stored]
    for first, stop in data.draw(small.chunkings(clips)):
        CHAT.extend(rebuilt, back[first:stop])
    ours, theirs = (CHAT.ask(history, QUESTION) for history in (rebuilt, live))
    assert [k.tolist() for k in ours.reading.kept] == [k.tolist() for k in theirs.reading.kept]
    torch.testing.assert_close(ours.reading.logits, theirs.reading.logits, atol=1e-4, rtol=0)
    assert [(c.start, c.end) for c in rebuilt.clips] == [(c.start, c.end) for c in live.clips]
