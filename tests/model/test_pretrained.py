import json

import pytest
import torch

from model.errors import ModelUnavailable
from model.types import GREEDY, Sampling
from model.zoo.pretrained import open_pretrained, read_generation, read_tokenizer
from tests.model.released_layout import END, START, TOWERS, write_checkpoint, write_tokenizer


def test_a_checkpoint_opens_whole(tmp_path):
    write_checkpoint(tmp_path)
    opened = open_pretrained(str(tmp_path), dtype=torch.float32, towers=TOWERS)
    assert opened.name == str(tmp_path)
    assert opened.network.config.language.hidden == 48
    assert opened.tokenizer.special(END) in opened.generation.ends
    assert opened.generation.sampling == Sampling(0.7, 0.8, top_k=50)
    assert opened.description["hidden_size"] == 48


@pytest.mark.parametrize("newer", [True, False])
def test_words_survive_the_vocabulary_in_either_layout(tmp_path, newer):
    write_tokenizer(tmp_path)
    if not newer:
        (tmp_path / "tokenizer.json").unlink()
    tokenizer = read_tokenizer(tmp_path)
    tokens = tokenizer.plain("Déjà vu?")
    assert b"".join(map(tokenizer.piece, tokens)).decode() == "Déjà vu?"
    assert [tokenizer.special(name) for name in (START, END)] == [257, 258]


def test_a_checkpoint_without_a_tokenizer_says_what_is_lacking(tmp_path):
    with pytest.raises(ModelUnavailable, match=r"lacks tokenizer\.json, and vocab\.json, merges"):
        read_tokenizer(tmp_path)


def test_a_broken_tokenizer_is_a_sentence(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelUnavailable, match=r"the tokenizer in .* cannot be read"):
        read_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        ("vocab.json", "[1, 2", r"vocab\.json .* not readable JSON"),
        ("vocab.json", "[1, 2]", r"vocab\.json .* no JSON object"),
        ("merges.txt", "#version: 0.2\na b c\n", r"line 2 of merges\.txt"),
        ("merges.txt", "a nowhere\n", r"line 1 of merges\.txt"),
    ],
)
def test_broken_older_tokenizer_files_are_a_sentence(tmp_path, file, content, complaint):
    write_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / file).write_text(content)
    with pytest.raises(ModelUnavailable, match=complaint):
        read_tokenizer(tmp_path)


def test_a_broken_tokenizer_costs_no_loading_of_weights(tmp_path):
    write_checkpoint(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    for file in tmp_path.glob("*.safetensors"):
        file.unlink()
    with pytest.raises(ModelUnavailable, match="tokenizer"):
        open_pretrained(str(tmp_path), towers=TOWERS)


def test_settings_that_do_not_sample_are_greedy(tmp_path):
    settings = {"eos_token_id": 7, "temperature": 0.7, "top_p": 0.8, "top_k": 20}
    (tmp_path / "generation_config.json").write_text(json.dumps(settings))
    generation = read_generation(tmp_path)
    assert (generation.ends, generation.sampling) == ((7,), GREEDY)


PUBLISHED = {
    "bos_token_id": 151643,
    "do_sample": True,
    "eos_token_id": [151645, 151643],
    "pad_token_id": 151643,
    "repetition_penalty": 1.1,
    "temperature": 0.7,
    "top_k": 20,
    "top_p": 0.8,
    "transformers_version": "4.39.2",
}


def test_the_published_settings_are_read_whole(tmp_path):
    (tmp_path / "generation_config.json").write_text(json.dumps(PUBLISHED))
    generation = read_generation(tmp_path)
    assert generation.sampling == Sampling(0.7, 0.8, top_k=20, repetition_penalty=1.1)
    assert generation.others == {}


def test_the_penalty_counts_without_sampling_too_and_what_is_not_followed_is_kept(tmp_path):
    settings = PUBLISHED | {"do_sample": False, "no_repeat_ngram_size": 3, "num_beams": 1}
    (tmp_path / "generation_config.json").write_text(json.dumps(settings))
    generation = read_generation(tmp_path)
    assert generation.sampling == Sampling(repetition_penalty=1.1)
    assert generation.others == {"no_repeat_ngram_size": 3}


def test_the_end_of_an_answer_may_stand_in_the_config_alone(tmp_path):
    (tmp_path / "config.json").write_text('{"eos_token_id": [7, 8]}')
    assert read_generation(tmp_path).ends == (7, 8)


@pytest.mark.parametrize("ends", [None, [], ["</s>"], True, -1])
def test_a_checkpoint_that_never_ends_an_answer_is_refused(tmp_path, ends):
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": ends}))
    with pytest.raises(ModelUnavailable, match="which token ends an answer"):
        read_generation(tmp_path)


def test_a_temperature_that_is_no_number_is_refused(tmp_path):
    settings = {"eos_token_id": 7, "do_sample": True, "temperature": "hot"}
    (tmp_path / "generation_config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelUnavailable, match="temperature = 'hot'"):
        read_generation(tmp_path)


@pytest.mark.parametrize("wrong", [{"repetition_penalty": 0}, {"top_p": 3}, {"temperature": -1}])
def test_numbers_that_cannot_be_sampled_with_are_refused(tmp_path, wrong):
    (tmp_path / "generation_config.json").write_text(json.dumps(PUBLISHED | wrong))
    with pytest.raises(ModelUnavailable, match=next(iter(wrong))):
        read_generation(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        '"top_k": 50.9',
        '"top_k": Infinity',
        '"top_k": NaN',
        '"temperature": 1' + "0" * 400,
        '"do_sample": "true"',
        '"do_sample": 1',
    ],
)
def test_settings_of_another_kind_are_refused_by_name(tmp_path, wrong):
    settings = '{"eos_token_id": 7, "do_sample": true, ' + wrong + "}"
    (tmp_path / "generation_config.json").write_text(settings)
    with pytest.raises(ModelUnavailable, match=wrong.split('"')[1]):
        read_generation(tmp_path)


def test_a_file_of_brackets_is_no_settings(tmp_path):
    (tmp_path / "generation_config.json").write_text("[" * 100_000)
    with pytest.raises(ModelUnavailable, match="not readable JSON"):
        read_generation(tmp_path)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "generation_config.json").write_text('\ufeff{"eos_token_id": 7}')
    assert read_generation(tmp_path).ends == (7,)


def test_an_end_that_is_no_token_is_refused_before_the_weights(tmp_path):
    write_checkpoint(tmp_path)
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": 99999999}')
    for weights in tmp_path.glob("*.safetensors"):
        weights.unlink()
    with pytest.raises(ModelUnavailable, match="ends answers by token 99999999"):
        open_pretrained(str(tmp_path), dtype=torch.float32, towers=TOWERS)
