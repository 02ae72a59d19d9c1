"""The `lite` network: small enough for two processor cores, the same path as the large ones.

EfficientNet-Lite2 and SmolLM2-135M stand as they were published (`model/zoo/lite_base.py`); what was
trained here lies between them and on top, in `checkpoints/lite.safetensors`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from model.config import DropoutConfig, DropStage, FlashConfig, VisionConfig
from model.errors import ModelUnavailable
from model.folding.thing_rows import ThingRows
from model.language.decoder import Decoder
from model.language.prompt import LITE, Prompt
from model.language.tokenizer import HubTokenizer, Tokenizer
from model.parts import ModelParts
from model.types import Clip, ClipTokens
from model.vision.changes import SceneSoFar, follow, in_words
from model.vision.lite import LiteEncoder
from model.vision.networks.closer import Closer
from model.vision.networks.detector import load_detector
from model.vision.networks.drawn import Heads
from model.vision.networks.lite_network import LiteVision
from model.vision.things import CODE, Thing, unpack
from model.vision.vocabulary import IMAGENET_CLASSES, word_table
from model.vision.word_projector import BELIEFS, WordProjector
from model.zoo.fingerprint import fingerprint
from model.zoo.lite_base import DEFAULT_CACHE, LITE_LANGUAGE, apply_adapters, base_folder, convert

TRAINED = Path(__file__).parents[1] / "checkpoints" / "lite.safetensors"

LOOK = 256
"""What the encoder itself learned of a visual token: its look, place and movement."""
THINGS, TOKENS_KEPT = 8, 16
"""Rows of a clip: things that have words, and merged visual tokens."""
CAPTION, SEEN = 18, 6
"""What the language model reads of a clip: its things spelled out, its weightiest tokens."""
_CIRCLE = 14
"""Tokens that an answer does not write twice in a row: three things of a list, or a little more."""
_EVIDENCE_LAYER = 23
"""Where the end of a question attends to what its answer rests on (docs/decisions/0046)."""
VISUAL_STEP = 0.25
# The paper's layers 4 and 18 of 28, on 30 layers: three quarters of a clip, which is its caption,
# then what the question attends to. The budget bounds the cost of a question.
DROPOUT = DropoutConfig(
    (DropStage(4, 0.75, "leading"), DropStage(19, 0.25, "attention", budget=1024))
)

CONFIG = FlashConfig(
    # One token for every 32x32 pixels: what the last stage of the image network leaves.
    vision=VisionConfig(
        image_size=224,
        patch_size=32,
        width=LOOK + CODE,
        heads=1,
        tokens_per_clip=THINGS + TOKENS_KEPT,
        # The detector sees most at 512 pixels on the longer side.
        frame_side=384,
        one_scene=True,
    ),
    language=LITE_LANGUAGE,
    dropout=DROPOUT,
    visual_step=VISUAL_STEP,
)


def lite(
    device: torch.device,
    dtype: torch.dtype,
    progress: Callable[[str], None] = lambda _: None,
    trained: Path = TRAINED,
    cache: Path = DEFAULT_CACHE,
) -> ModelParts:
    """Return the network, ready to answer.

    Args:
        device: Where it runs.
        dtype: Numbers of the language model and of the image networks; what is trained between
            them runs in float32.
        progress: Told in words what is being done.
        trained: The weights that were trained here.
        cache: Where the converted published weights are kept.

    Raises:
        ModelUnavailable: If the published weights are not installed, or our own are missing or
            damaged.
    """
    base = convert(base_folder(cache), progress)
    progress("loading the weights")
    try:
        ours = load_file(trained)
    except (OSError, SafetensorError) as error:
        raise ModelUnavailable(
            f"{trained} cannot be read: restore it from the repository"
        ) from error
    encoder = _lite_encoder(base, ours, dtype).to(device).eval().requires_grad_(False)
    tokenizer = HubTokenizer(base / "tokenizer.json")
    decoder = _decoder(apply_adapters(load_file(base / "language.safetensors"), ours), dtype)
    projector = _word_projector(decoder.model.embed_tokens.weight, tokenizer)
    projector.load_state_dict(_part(ours, "projector."))

    def encode(clips: Sequence[Clip]) -> Float[Tensor, "clips rows width"]:
        seconds = [clip.end - clip.start for clip in clips]
        rows: Tensor = encoder([clip.pixels for clip in clips], seconds)
        return rows

    return ModelParts(
        name="lite",
        encoder_name=f"lite/{fingerprint(dict(encoder.state_dict()))}",
        config=CONFIG,
        encoder=encode,
        projector=projector.to(device).eval().requires_grad_(False),
        decoder=decoder.to(device).eval().requires_grad_(False),
        prompt=Prompt(tokenizer, LITE),
        exact_columns=CODE,
        follow_ups=False,
        things=things_of,
        note=_note,
        no_repeat_ngram_size=_CIRCLE,
        evidence_layer=_EVIDENCE_LAYER,
        rows=ThingRows(THINGS, LOOK, BELIEFS),
    )


def _note(scene: SceneSoFar | None, clip: ClipTokens) -> tuple[str, SceneSoFar | None]:
    """Return what is new in a clip, in words, and what has been shown with it."""
    change, scene = follow(scene, things_of(clip))
    return in_words(change, word_table()) if change else "", scene


def things_of(clip: ClipTokens) -> list[Thing]:
    """Return what a clip shows, the main thing first."""
    return unpack(clip.values[:THINGS, LOOK:].float())


def _lite_encoder(base: Path, ours: Mapping[str, Tensor], dtype: torch.dtype) -> LiteEncoder:
    """Return the encoder with its weights.

    Args:
        base: Folder of the converted published weights.
        ours: What was trained here.
        dtype: Numbers of the image networks.
    """
    table = word_table()
    trunk = load_file(base / "trunk.safetensors")
    vision = LiteVision(LOOK)
    fixed = {name: value for name, value in trunk.items() if not name.startswith("classifier.")}
    vision.load_state_dict(fixed | _part(ours, "vision."))
    vision.trunk_network.to(dtype)
    classifier = nn.Linear(trunk["classifier.weight"].shape[1], IMAGENET_CLASSES)
    classifier.load_state_dict(_part(trunk, "classifier."))
    heads = Heads(LOOK, tuple(table.of_drawing))
    heads.load_state_dict(_part(ours, "heads."))
    closer = Closer(heads.names)
    closer.load_state_dict(_part(ours, "closer."))
    detector = load_detector(dtype=dtype)
    return LiteEncoder(vision, classifier, detector, heads, closer, table, THINGS, TOKENS_KEPT)


def _word_projector(
    embedding: Float[Tensor, "vocab hidden"], tokenizer: Tokenizer
) -> WordProjector:
    """Return the projector, untrained, anchored in a language model's embedding."""
    return WordProjector(embedding, tokenizer.plain, word_table(), THINGS, LOOK, CAPTION, SEEN)


def _decoder(weights: dict[str, Tensor], dtype: torch.dtype) -> Decoder:
    with torch.device("meta"):
        decoder = Decoder(LITE_LANGUAGE)
    weights = {name: value.to(dtype) for name, value in weights.items()}
    embedding = weights["model.embed_tokens.weight"]
    decoder.load_state_dict(weights | {"lm_head.weight": embedding}, assign=True)
    decoder.lm_head.weight = decoder.model.embed_tokens.weight
    return decoder


def _part(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value.float()
        for name, value in weights.items()
        if name.startswith(prefix)
    }
