"""Many questions in one pass must be exactly what asking them one by one is."""

import pytest
import torch

from model.language.prompt import VisibleSpan
from model.types import ClipTokens, Question
from model.video_chat import VideoChat
from model.zoo.tiny import CONFIG, tiny
from training.packing import Dropping, answer_logits, pack, side_by_side
from training.questions import Asked

TOKENS = CONFIG.vision.tokens_per_clip
ASKED = (
    Asked("name", "What is it?", "A dog.", ("dog",)),
    Asked("direction", "Which way does it move?", "Up.", ("up",)),
    Asked("count", "How many are there?", "Three of them.", ("three",)),
)


def clips_of(count: int) -> list[ClipTokens]:
    random = torch.Generator().manual_seed(count)
    return [
        ClipTokens(torch.randn(TOKENS, CONFIG.vision.width, generator=random), 4.0 * n, 4.0 * n + 3)
        for n in range(count)
    ]


def packed_of(parts, clips: list[ClipTokens], asked: tuple[Asked, ...], duration=None):
    seen = VisibleSpan(clips[0].start, clips[-1].end, 4 * len(clips))
    return pack([c.start for c in clips], seen, duration, asked, parts.prompt, TOKENS)


@pytest.mark.parametrize("deep_ratio", [0.25, 1.0])
@pytest.mark.parametrize("asked", [ASKED, ASKED[:1]])
@pytest.mark.parametrize("duration", [None, 12.0])
def test_every_question_gets_the_logits_it_gets_alone(deep_ratio, asked, duration):
    parts = tiny()
    first, second = CONFIG.dropout.stages
    stages = (first,) if deep_ratio == 1.0 else (first, second)
    service = VideoChat(parts, type(CONFIG.dropout)(stages))
    clips = clips_of(3)
    visual = parts.projector(torch.stack([clip.values for clip in clips])).flatten(0, 1)
    dropping = Dropping(first, second.layer, (deep_ratio,))

    packed = packed_of(parts, clips, asked, duration)
    logits, target = answer_logits(
        parts.decoder, side_by_side([packed]), visual, dropping, TOKENS, CONFIG.visual_step
    )

    expected, said = [], []
    for one in asked:
        reading = service.read_once(clips, Question(one.question, duration=duration))
        answer = [*parts.prompt.tokenizer.plain(one.answer), parts.prompt.end]
        for token in answer:
            expected.append(reading.logits)
            service.reader.step([reading], [token])
        said += answer
    assert target.tolist() == said
    torch.testing.assert_close(logits, torch.stack(expected), atol=1e-3, rtol=1e-3)


def test_a_branch_does_not_see_another():
    parts = tiny()
    clips = clips_of(2)
    visual = parts.projector(torch.stack([clip.values for clip in clips])).flatten(0, 1)

    def first_logits(*asked):
        packed = side_by_side([packed_of(parts, clips, asked)])
        dropping = Dropping(CONFIG.dropout.stages[0], 4, (0.25,))
        return answer_logits(parts.decoder, packed, visual, dropping, TOKENS, 0.125)[0][:7]

    torch.testing.assert_close(
        first_logits(ASKED[0], ASKED[1]), first_logits(ASKED[0], ASKED[2]), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("ratios", [(1.0, 1.0, 1.0), (0.25, 0.25, 0.25), (1.0, 0.25, 0.5)])
def test_shows_side_by_side_give_what_each_gives_alone(ratios):
    parts = tiny()
    first, second = CONFIG.dropout.stages
    shows = [packed_of(parts, clips_of(n), ASKED[:m]) for n, m in ((2, 3), (5, 1), (3, 2))]
    visual = [
        parts.projector(torch.stack([clip.values for clip in clips_of(n)])).flatten(0, 1)
        for n in (2, 5, 3)
    ]

    def logits(chosen):
        return answer_logits(
            parts.decoder,
            side_by_side([shows[n] for n in chosen]),
            torch.cat([visual[n] for n in chosen]),
            Dropping(first, second.layer, tuple(ratios[n] for n in chosen)),
            TOKENS,
            CONFIG.visual_step,
        )

    together, said = logits(range(3))
    alone = [logits([n]) for n in range(3)]
    assert said.tolist() == [t for _, target in alone for t in target.tolist()]
    torch.testing.assert_close(
        together, torch.cat([found for found, _ in alone]), atol=1e-4, rtol=1e-4
    )
