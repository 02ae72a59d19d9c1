"""How an answer is written: where it ends, and where its chance comes from."""

from dataclasses import replace

import pytest
import torch

from model.engine.generation import MAX_ANSWER_TOKENS
from model.engine.local import LocalEngine
from model.types import Question, Sampling
from model.video_chat import VideoChat
from model.zoo.tiny import tiny
from tests.model.engines import CHAT, ask, encoded, give, seen


@pytest.fixture
async def engine():
    made = LocalEngine(CHAT)
    yield made
    await made.close()


async def test_an_answer_ends_at_every_token_that_the_checkpoint_says_ends_one():
    [clip_tokens] = encoded(1)
    history = CHAT.open()
    CHAT.extend(history, [clip_tokens])
    first = int(CHAT.ask(history, Question("what?")).reading.logits.argmax())
    assert first != CHAT.prompt.end
    for ends, reason in [(frozenset(), "length"), (frozenset({first}), "stop")]:
        engine = LocalEngine(VideoChat(replace(CHAT.parts, ends=ends)))
        try:
            await give(engine, "a", [clip_tokens])
            _, finish = await ask(engine, tokens=1)
        finally:
            await engine.close()
        assert (finish.reason, finish.usage.answer_tokens) == (reason, reason == "length")


async def says_only(token, tokens):
    """Ask a model that says one token again and again, and whose checkpoint ends answers at 3."""
    [clip_tokens] = encoded(1)
    parts = replace(tiny(), ends=frozenset({3}))
    head = torch.nn.Linear(32, 258).requires_grad_(False)
    head.weight.zero_()
    head.bias.copy_(torch.arange(258) == token)
    parts.decoder.lm_head = head
    engine = LocalEngine(VideoChat(parts))
    try:
        await give(engine, "a", [clip_tokens])
        text, finish = await ask(engine, tokens=tokens)
    finally:
        await engine.close()
    return text, finish.reason, finish.usage.answer_tokens


async def test_an_answer_ends_where_the_model_ends_its_turn():
    assert await says_only(CHAT.prompt.end, 9) == ("", "stop", 0)
    assert await says_only(3, 9) == ("", "stop", 0)
    assert await says_only(ord("a"), 9) == ("a" * 9, "length", 9)


@pytest.mark.parametrize(("tokens", "said"), [(-1, 0), (0, 0), (1, 1), (10**9, MAX_ANSWER_TOKENS)])
async def test_an_answer_has_the_tokens_that_were_asked_for_and_never_more_than_fit(tokens, said):
    assert await says_only(ord("a"), tokens) == ("a" * said, "length", said)


@pytest.mark.parametrize("top_p", [0.0, 1e-9])
async def test_the_likeliest_token_is_always_among_those_chosen_from(engine, top_p):
    await seen(engine, "a", 2)
    greedy, _ = await ask(engine, tokens=12)
    sampled, _ = await ask(engine, tokens=12, sampling=Sampling(temperature=1.5, top_p=top_p))
    assert sampled == greedy


async def sampled(seed):
    """Return three answers to one question from an engine that begins with `seed`."""
    made = LocalEngine(CHAT, seed=seed)
    try:
        await give(made, "a", encoded(2))
        return [
            (await ask(made, tokens=12, sampling=Sampling(temperature=2.0)))[0] for _ in range(3)
        ]
    finally:
        await made.close()


async def test_every_answer_has_its_own_chance_and_the_seed_decides_all_of_it():
    first, again, other = await sampled(1), await sampled(1), await sampled(7)
    assert len(set(first)) == 3
    assert first == again
    assert set(first).isdisjoint(other)


async def test_the_penalty_of_a_question_changes_what_is_written():
    [clip_tokens] = encoded(1)
    parts = replace(tiny(), sampling=Sampling(repetition_penalty=1.5))
    head = torch.nn.Linear(32, 258).requires_grad_(False)
    head.weight.zero_()
    head.bias.copy_(torch.zeros(258))
    head.bias[[ord("a"), ord("b"), ord("c")]] = torch.tensor([3.0, 2.9, 2.8])
    parts.decoder.lm_head = head
    engine = LocalEngine(VideoChat(parts))
    try:
        await give(engine, "a", [clip_tokens])
        as_set_up, _ = await ask(engine, tokens=4)
        greedy, _ = await ask(engine, tokens=4, sampling=Sampling())
    finally:
        await engine.close()
    assert (as_set_up, greedy) == ("abca", "aaaa")
    assert engine.sampling == parts.sampling
