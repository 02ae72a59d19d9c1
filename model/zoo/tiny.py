"""The `tiny` network: random weights, a few thousand parameters, the same code path as the others.

For tests of everything around the model. Its answers mean nothing.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from model.config import DropoutConfig, DropStage, FlashConfig, LanguageConfig, VisionConfig
from model.language.decoder import Decoder
from model.language.projector import Projector
from model.language.prompt import LITE, Prompt
from model.language.tokenizer import ByteTokenizer
from model.parts import ModelParts
from model.types import Clip
from model.vision.networks.umt import UmtVision
from model.vision.preprocess import normalise, squares

CONFIG = FlashConfig(
    vision=VisionConfig(
        image_size=32, patch_size=8, width=32, heads=2, depth=3, tokens_per_clip=16
    ),
    language=LanguageConfig(
        hidden=32,
        layers=6,
        heads=4,
        kv_heads=2,
        head_dim=8,
        intermediate=64,
        vocab=ByteTokenizer.SIZE,
        max_positions=8192,
    ),
    dropout=DropoutConfig((DropStage(2, 0.75, "clipwise"), DropStage(4, 0.25, "attention"))),
    visual_step=0.125,
)


def tiny(seed: int = 0, device: torch.device | None = None) -> ModelParts:
    """Return the network; the same `seed` gives the same weights.

    Args:
        seed: Of the random weights.
        device: Where it runs; None is the processor.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vision = UmtVision(CONFIG.vision).eval()
        projector = Projector(CONFIG.vision.width, CONFIG.language.hidden).eval()
        decoder = Decoder(CONFIG.language).eval()
        for weights in (*vision.parameters(), *projector.parameters(), *decoder.parameters()):
            if weights.ndim > 1:
                torch.nn.init.normal_(weights, std=0.3)
            weights.requires_grad_(False)
    for network in (vision, projector, decoder):
        network.to(device or torch.device("cpu"))

    def encode(clips: Sequence[Clip]) -> Float[Tensor, "clips tokens features"]:
        frames = squares(clips, CONFIG.vision.image_size, device or torch.device("cpu"))
        features: Tensor = vision(normalise(frames, CONFIG.vision))
        return features

    return ModelParts(
        name="tiny",
        encoder_name=f"tiny/{seed}",
        config=CONFIG,
        encoder=encode,
        projector=projector,
        decoder=decoder,
        prompt=Prompt(ByteTokenizer(), LITE),
    )
