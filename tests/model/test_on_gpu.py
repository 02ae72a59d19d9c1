"""The same on a graphics card; left out where there is none."""

import pytest
import torch

from model.config import DropoutConfig, DropStage
from model.engine.local import LocalEngine
from model.history import History
from model.language.dropout import Tokens
from model.reading import PromptReader
from model.types import Clip, Finish, Question, Words
from model.video_chat import VideoChat
from model.zoo.tiny import tiny
from tests.model import small_networks as small
from tests.model.engines import give, past

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
DEVICE = torch.device("cuda")
KEEP_ALL = DropoutConfig((DropStage(2, 1.0, "clipwise"), DropStage(4, 1.0, "attention")))


@pytest.mark.parametrize(
    ("dtype", "near"), [(torch.float32, 1e-3), (torch.bfloat16, 0.2), (torch.float16, 0.05)]
)
def test_the_history_equals_one_pass_on_the_processor(dtype, near):
    generator = torch.Generator().manual_seed(0)
    prefix, suffix = small.text(generator, 3), small.text(generator, 5)
    clips = [small.clip(generator) for _ in range(40)]
    shape = {"head_dim": 64, "hidden": small.HIDDEN}  # the fused kernels want wide heads
    slow = small.decoder(**shape)
    parts = [
        Tokens.of_text(prefix),
        *(Tokens(c.hidden, torch.full_like(c.clip, n), c.place) for n, c in enumerate(clips)),
        Tokens.of_text(suffix),
    ]
    exact = PromptReader(slow, KEEP_ALL, small.TOKENS_PER_CLIP).read(Tokens.join(parts)).logits
    fast = small.decoder(**shape).to("cuda", dtype)
    history = History(PromptReader(fast, KEEP_ALL, small.TOKENS_PER_CLIP), prefix.to("cuda", dtype))
    for number, clip in enumerate(clips):
        here = Tokens(clip.hidden.to("cuda", dtype), clip.clip.to("cuda"), clip.place.to("cuda"))
        history.extend(small.spans(1, number), [here])
    ours = history.ask(suffix.to("cuda", dtype)).logits.cpu()
    assert (ours - exact).norm() < near * exact.norm()


def test_training_with_a_mask_is_that_on_the_processor():
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(2, 12, small.HIDDEN, generator=generator)
    positions = torch.arange(12.0).expand(2, -1)
    mask = torch.ones(2, 1, 12, 12, dtype=torch.bool).tril()
    mask[1, :, 6:, :3] = False
    slow = small.decoder(head_dim=64)
    exact = slow(hidden, positions, mask)
    fast = small.decoder(head_dim=64).to(DEVICE)
    ours = fast(hidden.to(DEVICE), positions.to(DEVICE), mask.to(DEVICE))
    torch.testing.assert_close(ours.cpu(), exact, atol=1e-2, rtol=1e-3)


def filmed(number):
    generator = torch.Generator().manual_seed(number)
    pixels = torch.randint(0, 256, (4, 40, 60, 3), dtype=torch.uint8, generator=generator)
    return Clip(pixels, 4.0 * number, 4.0 * number + 3)


def chats():
    return VideoChat(tiny()), VideoChat(tiny(device=DEVICE))


def test_clips_become_the_same_tokens_as_on_the_processor():
    slow, fast = chats()
    clips = [filmed(number) for number in range(5)]
    for ours, theirs in zip(fast.encode(clips), slow.encode(clips), strict=True):
        assert ours.values.device.type == "cpu"
        torch.testing.assert_close(ours.values, theirs.values, atol=4e-3, rtol=2e-3)


def test_a_batch_that_is_looked_at_in_parts_becomes_the_same_tokens():
    slow, fast = chats()
    clips = [filmed(number) for number in range(70)]
    for ours, theirs in zip(fast.encode(clips), slow.encode(clips), strict=True):
        torch.testing.assert_close(ours.values, theirs.values, atol=4e-3, rtol=2e-3)


@pytest.mark.parametrize("about", [{}, {"since": 9.0, "until": 30.0}])
def test_a_question_has_the_answer_and_the_evidence_of_the_processor(about):
    question = Question("What?", **about)
    slow, fast = chats()
    seen, answers = slow.encode([filmed(number) for number in range(12)]), []
    for chat in (slow, fast):
        history = chat.open()
        for first in range(0, 12, 3):
            chat.extend(history, seen[first : first + 3])
        asked = chat.ask(history, question)
        answers.append((asked, chat.evidence(asked)))
    (theirs, their_evidence), (ours, our_evidence) = answers
    assert ours.reading.logits.device.type == DEVICE.type
    assert [k.tolist() for k in ours.reading.kept] == [k.tolist() for k in theirs.reading.kept]
    torch.testing.assert_close(ours.reading.logits.cpu(), theirs.reading.logits, atol=1e-3, rtol=0)
    for mine, other in zip(our_evidence, their_evidence, strict=True):
        assert (mine.start, mine.end) == (other.start, other.end)
        assert mine.score == pytest.approx(other.score, abs=1e-4)


async def test_the_engine_writes_what_it_writes_on_the_processor():
    written, slow_and_fast = [], chats()
    # The same tokens for both: those of the two devices differ in their last bit.
    seen = slow_and_fast[0].encode([filmed(number) for number in range(6)])
    for chat in slow_and_fast:
        engine = LocalEngine(chat)
        try:
            assert (await engine.encode(filmed(0))).tokens.values.shape == seen[0].values.shape
            await give(engine, "a", seen)
            pieces = [p async for p in engine.answer(past(engine), Question("What?", tokens=12))]
        finally:
            await engine.close()
        assert isinstance(pieces[-1], Finish)
        text = "".join(piece.text for piece in pieces if isinstance(piece, Words))
        written.append((text, pieces[-1].reason, pieces[-1].usage))
    assert written[0] == written[1]
