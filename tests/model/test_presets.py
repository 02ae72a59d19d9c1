"""Networks by name, from the name to an answer."""

import os
from itertools import count

import pytest
import torch

from model.engine.local import LocalEngine
from model.errors import ModelUnavailable
from model.types import Clip, Finish, Question
from model.video_chat import VideoChat
from model.zoo.device import bound_kernels, pick_dtype, seconds
from model.zoo.presets import load_parts
from tests.model.engines import give, past
from tests.model.released_layout import TOWERS, write_checkpoint


async def test_a_released_checkpoint_watches_and_answers(tmp_path):
    write_checkpoint(tmp_path / "small", dtype=torch.float32)
    parts = load_parts(str(tmp_path / "small"), dtype=torch.float32, towers=TOWERS)
    assert parts.encoder_name.startswith("umt-l/")
    assert parts.ends == {256, 258}, "as its generation settings say"
    chat = VideoChat(parts)
    pixels = torch.randint(0, 256, (3, 4, 40, 60, 3), dtype=torch.uint8)
    clips = chat.encode([Clip(p, 4.0 * n, 4.0 * n + 3) for n, p in enumerate(pixels)])
    history = chat.open()
    chat.extend(history, clips)
    asked = chat.ask(history, Question("What?"))
    once = chat.read_once(clips, Question("What?"))
    torch.testing.assert_close(asked.reading.logits, once.logits, atol=1e-4, rtol=0)
    engine = LocalEngine(chat)
    try:
        await give(engine, "a", clips)
        pieces = [piece async for piece in engine.answer(past(engine), Question("What?", tokens=5))]
    finally:
        await engine.close()
    assert isinstance(pieces[-1], Finish)
    assert pieces[-1].usage.clips == 3


def test_the_same_weights_under_another_name_have_the_same_encoder(tmp_path):
    first = write_checkpoint(tmp_path / "first").folder
    second = first.rename(tmp_path / "second")
    write_checkpoint(first)
    names = {load_parts(str(f), towers=TOWERS).encoder_name for f in (first, second)}
    assert len(names) == 1


def test_an_unknown_name_is_answered_with_a_sentence(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelUnavailable):
        load_parts("nobody/nothing")


@pytest.mark.parametrize(
    ("gain", "chosen"),
    [(0.5, torch.float32), (1.1, torch.float32), (1.3, torch.bfloat16), (9.0, torch.bfloat16)],
)
def test_a_processor_gets_the_coarse_numbers_only_where_they_pay(gain, chosen):
    took = {torch.float32: 0.002 * gain, torch.bfloat16: 0.002}
    assert pick_dtype(torch.device("cpu"), took.__getitem__) == chosen


@pytest.mark.parametrize("held_up", [torch.float32, torch.bfloat16])
def test_a_busy_machine_that_holds_some_tries_up_changes_no_numbers(held_up):
    tries = count()

    def measure(dtype):
        slow = 100 if dtype == held_up and next(tries) % 3 == 0 else 1
        return slow * {torch.float32: 0.002, torch.bfloat16: 0.001}[dtype]

    assert pick_dtype(torch.device("cpu"), measure) == torch.bfloat16


@pytest.mark.parametrize(("known", "chosen"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_graphics_card_gets_the_coarse_numbers_if_it_knows_them(monkeypatch, known, chosen):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: known)
    assert pick_dtype(torch.device("cuda"), lambda _: 1 / 0) == chosen


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_measured_takes_time(dtype):
    assert 0 < seconds(dtype) < 10


async def test_a_released_checkpoint_answers_in_coarse_numbers_too(tmp_path):
    write_checkpoint(tmp_path / "small")
    parts = load_parts(str(tmp_path / "small"), dtype=torch.bfloat16, towers=TOWERS)
    assert {p.dtype for p in parts.decoder.parameters()} == {torch.bfloat16}
    pixels = torch.randint(0, 256, (4, 40, 60, 3), dtype=torch.uint8)
    engine = LocalEngine(VideoChat(parts))
    try:
        await give(engine, "a", [(await engine.encode(Clip(pixels, 0.0, 3.0))).tokens])
        pieces = [piece async for piece in engine.answer(past(engine), Question("What?", tokens=5))]
    finally:
        await engine.close()
    assert isinstance(pieces[-1], Finish)
    assert sum(part.score for part in pieces[-1].evidence) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("given", "kept"), [(None, "128"), ("7", "7")])
def test_few_kernels_are_kept_unless_whoever_runs_us_says_how_many(monkeypatch, given, kept):
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    if given is not None:
        monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", given)
    bound_kernels()
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == kept
