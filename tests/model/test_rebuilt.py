"""A history rebuilt from what memory keeps is the history that watched."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memory import codec
from model.language.clip_markers import LATE
from model.types import Clip, ClipTokens, Question
from model.video_chat import VideoChat
from model.zoo.tiny import tiny
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


def test_a_short_clip_is_seen_as_if_its_last_frame_stood_still():
    pixels = filmed(1, torch.Generator().manual_seed(3)).pixels
    still = torch.cat([pixels[:2], pixels[1:2], pixels[1:2]])
    short, whole = CHAT.encode([Clip(pixels[:2], 0.0, 1.0)]), CHAT.encode([Clip(still, 0.0, 1.0)])
    assert torch.equal(short[0].values, whole[0].values)


def test_a_history_grows_by_the_bytes_that_a_clip_is_said_to_take():
    generator = torch.Generator().manual_seed(1)
    [tokens] = CHAT.encode([filmed(1, generator)])
    history, held = CHAT.open(), []
    for number in range(2):
        at = LATE + 4 * number
        late = ClipTokens(tokens.values, at, at + 3)
        CHAT.extend(history, [late])
        held.append(
            sum(rows.nbytes for b in small.growing(history) for rows in b.slices(0, b.length))
        )
    assert held[1] - held[0] + tokens.values.nbytes == CHAT.clip_bytes
