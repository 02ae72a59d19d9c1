"""The `lite` network: small enough for two processor cores, the same path as the large ones.

EfficientNet-Lite2 and SmolLM2-135M stand as they were published (`model/lite_base.py`); what was
trained here lies between them and on top, in `checkpoints/lite.safetensors`.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from model.config import DropoutConfig, DropStage, FlashConfig, VisionConfig
from model.fingerprint import fingerprint
from model.language import Decoder
from model.lite_base import LITE_LANGUAGE, apply_adapters, convert
from model.projector import Projector
from model.prompt import LITE, Prompt
from model.video_chat import Parts
from model.vision_lite import LiteVision
from model.vocabulary import HubVocabulary

TRAINED = Path(__file__).parent / "checkpoints" / "lite.safetensors"

CONFIG = FlashConfig(
    # One token for every 32x32 pixels: what the last stage of the image network leaves.
    vision=VisionConfig(image_size=224, patch_size=32, width=256, heads=1, tokens_per_clip=64),
    language=LITE_LANGUAGE,
    # The paper's layers 4 and 18 of 28, on 30 layers; the budget bounds the cost of a question.
    dropout=DropoutConfig(
        (DropStage(4, 0.75, "clipwise"), DropStage(19, 0.25, "attention", budget=1024))
    ),
    markers=True,
    visual_step=0.125,
)


class TrainedWeightsMissing(Exception):
    """The weights that were trained for `lite` are missing or cannot be read."""


def lite(
    device: torch.device,
    dtype: torch.dtype,
    progress: Callable[[str], None] = lambda _: None,
    trained: Path = TRAINED,
) -> Parts:
    """Return the network, ready to answer.

    Args:
        device: Where it runs.
        dtype: Numbers of the language model and the projector. The vision encoder runs in
            float32 on a processor: bfloat16 is faster, but moves its tokens by 5 %, and some
            answers with them.
        progress: Told in words what is being done.
        trained: The weights that were trained here.

    Raises:
        BaseWeightsMissing: If the published weights are not installed.
        TrainedWeightsMissing: If our own are missing or damaged.
    """
    base = convert(progress=progress)
    progress("loading the weights")
    try:
        ours = load_file(trained)
    except (OSError, SafetensorError) as error:
        raise TrainedWeightsMissing(
            f"{trained} cannot be read: restore it from the repository"
        ) from error
    vision_dtype = torch.float32 if device.type == "cpu" else dtype
    vision = _vision(base, ours)
    # Before it goes anywhere: the same weights have the same name on every machine.
    name = fingerprint(vision.state_dict())
    vision = vision.to(device, vision_dtype).eval()
    projector = Projector(CONFIG.vision.width, LITE_LANGUAGE.hidden)
    projector.load_state_dict(_part(ours, "projector."))
    decoder = _decoder(apply_adapters(load_file(base / "language.safetensors"), ours), dtype)

    def encode(
        frames: UInt8[Tensor, "clips frames 3 size size"],
    ) -> Float[Tensor, "clips tokens features"]:
        features: Tensor = vision(frames)
        return features

    return Parts(
        name="lite",
        encoder_name=f"lite/{name}",
        config=CONFIG,
        encoder=encode,
        projector=projector.to(device, dtype).eval().requires_grad_(False),
        decoder=decoder.to(device).eval().requires_grad_(False),
        prompt=Prompt(HubVocabulary(base / "tokenizer.json"), LITE),
    )


def _vision(base: Path, ours: dict[str, Tensor]) -> LiteVision:
    vision = LiteVision(CONFIG.vision.width)
    trunk = load_file(base / "trunk.safetensors")
    fixed = {name: value for name, value in trunk.items() if not name.startswith("classifier.")}
    vision.load_state_dict(fixed | _part(ours, "vision."))
    return vision.requires_grad_(False)


def _decoder(weights: dict[str, Tensor], dtype: torch.dtype) -> Decoder:
    with torch.device("meta"):
        decoder = Decoder(LITE_LANGUAGE)
    weights = {name: value.to(dtype) for name, value in weights.items()}
    embedding = weights["model.embed_tokens.weight"]
    decoder.load_state_dict(weights | {"lm_head.weight": embedding}, assign=True)
    decoder.lm_head.weight = decoder.model.embed_tokens.weight
    return decoder


def _part(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value.float()
        for name, value in weights.items()
        if name.startswith(prefix)
    }
