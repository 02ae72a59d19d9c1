"""A checkpoint run as its own files say, and what is said where it is not."""

import json
import logging
from dataclasses import replace
from functools import partial

import pytest
import torch

from model.config import REFERENCE_DROPOUT, DropoutConfig, DropStage
from model.engine.local import LocalEngine
from model.errors import ModelUnavailable
from model.history import History
from model.types import GREEDY, Clip, Question, Sampling
from model.video_chat import VideoChat
from model.zoo import presets
from model.zoo.as_released import Published, departures, published_dropout, run_as_released
from model.zoo.presets import load_engine, stretched
from model.zoo.released import RELEASED
from model.zoo.tiny import tiny
from tests.model.engines import give, past
from tests.model.released_layout import TOWERS, write_checkpoint

SWITCHED_OFF = {
    "mm_llm_compress": False,
    "llm_compress_type": "attention",
    "llm_compress_layer_list": [24],
    "llm_image_token_ratio_list": [1.0, 0.5],
}
OF_THE_PAPER = {
    "mm_llm_compress": True,
    "llm_compress_type": "uniform0_attention",
    "llm_compress_layer_list": [4, 18],
    "llm_image_token_ratio_list": [1, 0.75, 0.25],
}
WRITES = {
    "do_sample": True,
    "temperature": 0.7,
    "top_p": 0.8,
    "top_k": 20,
    "repetition_penalty": 1.1,
    "max_new_tokens": 512,
}


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """Return what writes a checkpoint with these words in `config.json`; yields its folder's name."""
    small = partial(presets.load_parts, towers=TOWERS, dtype=torch.float32)
    monkeypatch.setattr(presets, "load_parts", small)

    def write(**says):
        folder = write_checkpoint(tmp_path / "small", dtype=torch.float32).folder
        for file, more in (("config.json", says), ("generation_config.json", WRITES)):
            path = folder / file
            path.write_text(json.dumps(json.loads(path.read_text()) | more))
        return str(folder)

    return write


@pytest.mark.parametrize(
    ("says", "stages"),
    [
        ({}, ()),
        (SWITCHED_OFF, ()),
        (SWITCHED_OFF | {"mm_llm_compress": True}, (DropStage(24, 0.5, "attention"),)),
        (OF_THE_PAPER, REFERENCE_DROPOUT.stages),
        (
            OF_THE_PAPER | {"llm_compress_type": "uniform"},
            (DropStage(4, 0.75, "uniform"), DropStage(18, 0.25, "uniform")),
        ),
    ],
)
def test_dropout_is_read_as_published(says, stages):
    assert published_dropout(says) == DropoutConfig(stages)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"llm_compress_type": "pooling"}, "by 'pooling'; supported are attention, uniform"),
        ({"llm_compress_layer_list": "4,18"}, "at layers '4,18'"),
        ({"llm_image_token_ratio_list": [0.75, 0.25]}, "one share before the first layer"),
        ({"llm_image_token_ratio_list": [0.5, 0.75, 0.25]}, "before the first layer, to 0.5"),
        ({"llm_image_token_ratio_list": [1, 0.25, 0.75]}, "contradicts itself: stages go deeper"),
        ({"llm_compress_layer_list": [18, 4]}, "contradicts itself"),
    ],
)
def test_dropout_that_is_not_followed_is_refused(changes, complaint):
    with pytest.raises(ModelUnavailable, match=complaint):
        published_dropout(OF_THE_PAPER | changes)


def test_a_layer_that_is_not_there_is_refused(checkpoint):
    name = checkpoint(**OF_THE_PAPER, num_hidden_layers=28)
    parts = presets.load_parts(name)
    deeper = replace(parts.published, config=OF_THE_PAPER | {"llm_compress_layer_list": [4, 28]})
    with pytest.raises(ModelUnavailable, match="cannot drop at layer 28"):
        run_as_released(parts.config, deeper)


def clips_of(chat, count):
    pixels = torch.randint(0, 256, (count, 4, 40, 60, 3), dtype=torch.uint8)
    return chat.encode([Clip(p, 4.0 * n, 4.0 * n + 3) for n, p in enumerate(pixels)])


@pytest.mark.parametrize("says", [SWITCHED_OFF, SWITCHED_OFF | {"mm_llm_compress": True}])
def test_a_history_as_released_is_one_pass_as_released(checkpoint, says):
    chat = VideoChat(presets.load_parts(checkpoint(**says), as_released=True))
    assert chat.parts.sampling == Sampling(0.7, 0.8, 20, 1.1)
    clips, history = clips_of(chat, 3), chat.open()
    chat.extend(history, clips)
    asked = chat.ask(history, Question("What?"))
    once = chat.read_once(clips, Question("What?"))
    torch.testing.assert_close(asked.reading.logits, once.logits, atol=1e-4, rtol=0)
    kept = 12 if not says["mm_llm_compress"] else 6
    assert asked.reading.tokens_kept == once.tokens_kept == kept


async def test_an_engine_as_released_has_no_budget_and_writes_as_its_files_say(checkpoint, caplog):
    engine = load_engine(checkpoint(**SWITCHED_OFF), budget=1, as_released=True)
    try:
        assert engine.sampling == Sampling(0.7, 0.8, 20, 1.1)
        clips = [
            (await engine.encode(Clip(torch.zeros(4, 9, 9, 3, dtype=torch.uint8), 0.0, 3.0))).tokens
        ]
        await give(engine, "a", clips)
        pieces = [piece async for piece in engine.answer(past(engine), Question("What?", tokens=3))]
    finally:
        await engine.close()
    assert pieces[-1].usage.tokens_kept == 4
    assert [record.getMessage() for record in caplog.records] == [
        "small: generation_config.json says max_new_tokens = 512, which is not followed"
    ]


async def test_what_is_done_otherwise_is_said_when_the_checkpoint_is_loaded(checkpoint, caplog):
    engine = load_engine(checkpoint(**SWITCHED_OFF), budget=100)
    await engine.close()
    assert engine.sampling == GREEDY
    assert [record.getMessage() for record in caplog.records] == [
        "small: config.json says that no visual token is dropped inside the language model; visual "
        "tokens are dropped inside the language model, to 0.75 at layer 4, to 0.25 at layer 18 (100 "
        "tokens at most) here",
        "small: generation_config.json says temperature 0.7, top_p 0.8, top_k 20, repetition penalty "
        "1.1; answers are greedy and without a penalty here",
        "small: generation_config.json says max_new_tokens = 512, which is not followed",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_positions_that_are_not_used_are_said(checkpoint):
    parts = presets.load_parts(checkpoint(**OF_THE_PAPER, max_position_embeddings=1_010_000))
    said = list(departures(parts.published, run_as_released(parts.config, parts.published), GREEDY))
    assert said[0] == "evenly dropped tokens are spread inside each clip, not over the whole video"
    assert said[-1] == (
        "config.json says 1010000 positions; used are the 262144 that need no dual chunk attention"
    )


@pytest.mark.parametrize("name", ["lite", "tiny"])
def test_what_has_no_authors_but_us_cannot_be_run_as_released(name):
    with pytest.raises(ModelUnavailable, match=f"{name} is not a released checkpoint"):
        presets.load_parts(name, as_released=True)


async def test_stretched_positions_reach_further_in_a_history():
    plain, further = tiny(), stretched(tiny(), 4.0)
    assert VideoChat(further).reach == 4 * VideoChat(plain).reach
    short, long = LocalEngine(VideoChat(plain)), LocalEngine(VideoChat(further))
    await short.close()
    await long.close()
    assert long.clips_at_most > 4 * short.clips_at_most
    history: History = VideoChat(further).open()
    VideoChat(further).extend(history, clips_of(VideoChat(further), 1))
    angles = [p.decoder.rotary(torch.tensor([8000.0])).cosine for p in (plain, further)]
    assert not torch.allclose(*angles), "the rotations are those of YaRN"


def test_what_is_stretched_already_is_not_stretched_again():
    with pytest.raises(ModelUnavailable, match="stretches positions 2 times already"):
        stretched(stretched(tiny(), 2.0), 2.0)


def test_the_needle_tests_ten_thousand_frames_fit_the_released_positions_stretched():
    config = RELEASED["flash-7b-res224"].config
    chat_reach = 6 * config.language.max_positions
    # Beyond 85 % a history is renewed from its newer half; 1,536 are for question and answer.
    assert (chat_reach - 1536) * 0.85 / config.vision.tokens_per_clip * 4 > 10_000


def test_two_published_descriptions_are_equal_by_what_they_say(checkpoint):
    parts = presets.load_parts(checkpoint(**SWITCHED_OFF))
    assert isinstance(parts.published, Published)
    assert parts.published.config["mm_llm_compress"] is False
