import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from model.errors import ModelUnavailable
from model.vision.merge import merge_tokens
from model.vision.preprocess import normalise
from model.zoo.released import RELEASED, from_hub_dict
from model.zoo.weights import build, fill, load, shards
from tests.model.released_layout import MANIFEST, TOWERS, hub_config, write_checkpoint, write_shards

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("pristine"))


@pytest.fixture
def written(pristine, tmp_path):
    """A copy that a test may damage."""
    shutil.copytree(pristine.folder, tmp_path / "checkpoint")
    return type(pristine)(tmp_path / "checkpoint", pristine.tensors)


def first_shard(folder: Path) -> Path:
    return min(folder.glob("model-*.safetensors"))


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("flash-2b", "VideoChat-Flash-Qwen2_5-2B_res448"),
        ("flash-7b", "VideoChat-Flash-Qwen2-7B_res448"),
    ],
)
def test_full_size_names_and_shapes_are_the_published_ones(name, published):
    listed = json.loads(MANIFEST.read_text())[published]
    network = build(RELEASED[name].config)
    ours = {
        slot: list(getattr(module, attribute).shape)
        for slot, (module, attribute) in network.slots().items()
    }
    assert ours == listed
    assert RELEASED[name].hub_id == f"OpenGVLab/{published}"


@pytest.mark.parametrize("count", [1, 3])
def test_every_published_tensor_arrives_unchanged(tmp_path, count):
    written = write_checkpoint(tmp_path, shards=count)
    network = load(tmp_path, dtype=torch.bfloat16, towers=TOWERS)
    slots = network.slots()
    assert slots.keys() == written.tensors.keys()
    for name, (module, attribute) in slots.items():
        assert torch.equal(getattr(module, attribute), written.tensors[name]), name


@torch.inference_mode()
def test_a_loaded_network_turns_pixels_and_words_into_logits(pristine):
    network = load(pristine.folder, dtype=torch.float32, towers=TOWERS)
    config = network.config
    pixels = torch.randint(0, 256, (2, 4, 3, 32, 32), dtype=torch.uint8)
    features = network.vision(normalise(pixels, config.vision))
    visual = network.projector(merge_tokens(features, config.vision.tokens_per_clip, 16))
    words = network.decoder.embed(torch.tensor([1, 2, 3]))
    hidden = torch.cat([visual.flatten(0, 1), words])[None]
    logits = network.decoder.logits(network.decoder(hidden, torch.arange(11.0)[None]))
    assert logits.shape == (1, 11, config.language.vocab)
    assert logits.isfinite().all()


def test_weights_are_converted_on_the_way(pristine):
    network = load(pristine.folder, dtype=torch.float16, towers=TOWERS)
    weight = network.decoder.lm_head.weight
    assert weight.dtype == torch.float16
    assert torch.equal(weight, pristine.tensors["lm_head.weight"].half())
    assert not weight.requires_grad


def test_everything_wrong_is_listed_at_once(written):
    file = first_shard(written.folder)
    tensors = load_file(file)
    lost, bent = sorted(tensors)[:2]
    del tensors[lost]
    tensors[bent] = tensors[bent][..., :-1].contiguous()
    tensors["model.audio_tower.weight"] = torch.zeros(2)
    save_file(tensors, file)
    with pytest.raises(ModelUnavailable) as caught:
        load(written.folder, towers=TOWERS)
    said = str(caught.value)
    assert (
        f"1 missing ({lost}); 1 unexpected (model.audio_tower.weight); 1 misshapen ({bent} ("
        in said
    )


def test_nothing_is_loaded_when_one_tensor_is_missing(written):
    file = first_shard(written.folder)
    tensors = load_file(file)
    tensors.popitem()
    save_file(tensors, file)
    network = build(from_hub_dict(hub_config(), TOWERS))
    with pytest.raises(ModelUnavailable):
        fill(network, shards(written.folder), device=torch.device("cpu"), dtype=torch.float32)
    assert all(getattr(module, name).is_meta for module, name in network.slots().values())


def test_tied_embeddings_are_one_tensor_whether_stored_once_or_twice(written):
    config = json.dumps({**hub_config(), "tie_word_embeddings": True})
    (written.folder / "config.json").write_text(config)
    twice = load(written.folder, towers=TOWERS).decoder
    once_tensors = {k: v for k, v in written.tensors.items() if k != "lm_head.weight"}
    write_shards(written.folder, once_tensors, shards=3)
    once = load(written.folder, towers=TOWERS).decoder
    for decoder in (once, twice):
        assert decoder.lm_head.weight is decoder.model.embed_tokens.weight
        assert torch.equal(decoder.lm_head.weight, written.tensors["model.embed_tokens.weight"])


def test_a_shard_cut_short_is_named(written):
    file = first_shard(written.folder)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelUnavailable, match=rf"{file.name} cannot be read: it is cut short"):
        load(written.folder, towers=TOWERS)


def test_a_shard_that_is_something_else_is_named(written):
    file = first_shard(written.folder)
    file.write_text("<html>404</html>" * 100)
    with pytest.raises(ModelUnavailable, match=rf"{file.name} cannot be read"):
        load(written.folder, towers=TOWERS)


def test_a_shard_that_is_absent_is_named(written):
    file = first_shard(written.folder)
    file.unlink()
    with pytest.raises(ModelUnavailable, match=rf"lacks {file.name}; fetch"):
        load(written.folder, towers=TOWERS)


def test_a_tensor_in_two_shards_is_refused(written):
    first, second, _ = sorted(written.folder.glob("model-*.safetensors"))
    name, tensor = next(iter(load_file(first).items()))
    save_file({**load_file(second), name: tensor}, second)
    with pytest.raises(ModelUnavailable, match=rf"both {first.name} and {second.name} hold"):
        load(written.folder, towers=TOWERS)


def test_quantised_weights_are_refused(written):
    file = first_shard(written.folder)
    tensors = load_file(file)
    name = next(iter(tensors))
    save_file({**tensors, name: tensors[name].to(torch.int8)}, file)
    with pytest.raises(ModelUnavailable, match=rf"{re.escape(name)} as I8; quantised"):
        load(written.folder, towers=TOWERS)


@pytest.mark.parametrize(
    "outside",
    ["../secret.safetensors", "/etc/secret.safetensors", "sub/x.safetensors", "..\\x.safetensors"],
)
def test_an_index_that_points_outside_the_folder_is_refused(written, outside):
    index = {"weight_map": {"lm_head.weight": outside}}
    (written.folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelUnavailable, match="not a safetensors file beside it"):
        load(written.folder, towers=TOWERS)


def test_an_index_of_pickles_is_refused(written):
    index = {"weight_map": {"lm_head.weight": "pytorch_model.bin"}}
    (written.folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelUnavailable, match=r"'pytorch_model\.bin', which is not a safetensors"):
        load(written.folder, towers=TOWERS)


def test_pickled_weights_are_refused_without_being_opened(written, tmp_path):
    for file in written.folder.glob("model*"):
        file.unlink()
    (written.folder / "pytorch_model.bin").symlink_to(tmp_path / "would-fail-if-opened")
    with pytest.raises(ModelUnavailable, match=r"pickled .* would run code"):
        load(written.folder, towers=TOWERS)


@pytest.mark.parametrize("content", ["not json", "[]", '{"weight_map": {}}', '{"weight_map": 3}'])
def test_an_index_that_lists_nothing_is_refused(written, content):
    (written.folder / "model.safetensors.index.json").write_text(content)
    with pytest.raises(ModelUnavailable, match=r"model\.safetensors\.index\.json"):
        load(written.folder, towers=TOWERS)


@pytest.mark.parametrize("name", ["config.json"])
def test_a_folder_without_its_settings_is_refused(written, name):
    (written.folder / name).unlink()
    with pytest.raises(ModelUnavailable, match=f"lacks {name}"):
        load(written.folder, towers=TOWERS)


def test_an_empty_folder_says_what_is_lacking(tmp_path):
    with pytest.raises(ModelUnavailable, match=r"neither .* nor model"):
        shards(tmp_path)


MEASURE = """
import sys
from pathlib import Path
import torch
from tests.model.released_layout import TOWERS
from model.zoo.weights import build, fill, load, read_json, shards
from model.zoo.released import from_hub_dict
from safetensors.torch import load_file

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024

folder, way = Path(sys.argv[1]), sys.argv[2]
config = from_hub_dict(read_json(folder / "config.json"), TOWERS)
build(config)  # pays for torch's imports
before = status("VmRSS")
Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here on
if way == "load":
    network = load(folder, dtype=torch.float32, towers=TOWERS)
else:
    network = build(config)
    for part in (network.vision, network.projector, network.decoder):
        part.to_empty(device="cpu")
    tensors = {n: t.clone() for file in shards(folder) for n, t in load_file(file).items()}
    for name, (module, attribute) in network.slots().items():
        getattr(module, attribute).data.copy_(tensors[name])
print(status("VmHWM") - before)
"""


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="measures with Linux's /proc"
)
@pytest.mark.timeout(300)  # starts two processes, which takes long on a busy machine
def test_loading_needs_no_second_copy_in_memory(tmp_path):
    written = write_checkpoint(tmp_path, shards=1, dtype=torch.float32, intermediate=4096)
    size = sum(tensor.nbytes for tensor in written.tensors.values())

    def peak(way: str) -> float:
        command = [sys.executable, "-c", MEASURE, str(tmp_path), way]
        done = subprocess.run(
            command, capture_output=True, check=True, env={"PYTHONPATH": str(ROOT)}
        )
        return int(done.stdout) / size

    assert peak("load") < 1.3
    assert peak("build, then read everything, then copy") > 1.7
