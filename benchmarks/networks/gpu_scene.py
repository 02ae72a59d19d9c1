"""A network of random weights on a graphics card, used as the service uses a real one.

For `benchmarks/flops_gpu.py`. It loads nothing of the service, and no file.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from benchmarks.cost.meter import Meter
from benchmarks.cost.vision import encode_umt
from benchmarks.networks.filled import Filled
from benchmarks.networks.gpu import Gpu
from model.config import DropoutConfig, FlashConfig, RopeScaling
from model.history import History
from model.language.decoder import Decoder
from model.language.projector import Projector
from model.language.prompt import FLASH, Prompt, VisibleSpan
from model.language.tokenizer import ByteTokenizer
from model.parts import ModelParts
from model.reading import Reading
from model.types import Clip, ClipTokens, Question
from model.video_chat import RESERVED, VideoChat
from model.vision.networks.umt import UmtVision
from model.vision.preprocess import normalise, squares
from model.zoo.released import RELEASED
from model.zoo.tiny import CONFIG as TINY

Network = TypeVar("Network", bound=nn.Module)

SHAPES: Mapping[str, FlashConfig] = {
    "tiny": TINY,
    **{name: released.config for name, released in RELEASED.items()},
}
CLIPS_AT_ONCE = 64
"""Clips that a history reads at once while it is made."""
PREFIX = 256
"""Positions for the text before the clips, and more."""
QUESTION = Question("What was shown before the red car came?")


class GpuScene:
    """A network, clips, histories and a question.

    Args:
        config: Its shapes; positions are stretched (YaRN) until `frames` fit.
        gpu: Where it runs.
        frames: The longest history.
    """

    def __init__(self, config: FlashConfig, gpu: Gpu, frames: int) -> None:
        self.gpu, self.config = gpu, _reaching(config, frames)
        torch.manual_seed(0)
        self.vision = self._made(lambda: UmtVision(config.vision))
        self._projector = self._made(lambda: Projector(config.vision.width, config.language.hidden))
        self._decoder = self._made(lambda: Decoder(self.config.language))
        self.chat = self._chat(self.config.dropout)
        shape = (CLIPS_AT_ONCE, config.vision.tokens_per_clip, config.vision.width)
        self._seen = torch.randn(shape, dtype=torch.float16)

    @property
    def frames_per_clip(self) -> int:
        """Frames that are encoded together."""
        return self.config.vision.frames_per_clip

    @property
    def encode_cost(self) -> int:
        """Multiply-adds of encoding one clip."""
        return encode_umt(self.config.vision).multiply_adds

    @property
    def text_tokens(self) -> int:
        """Text tokens around the clips: before them, and of the question."""
        prompt, seen = self.chat.prompt, VisibleSpan(0.0, 9999.0, 9999)
        return len(prompt.prefix()) + len(prompt.suffix(QUESTION, seen))

    def one_pass_cost(self, frames: int, dropout: DropoutConfig) -> int:
        """Multiply-adds of reading so many frames and the question in one go."""
        meter = Meter(replace(self.config, dropout=dropout), 0, self.text_tokens)
        return meter.one_pass(-(-frames // self.frames_per_clip)).multiply_adds

    def clip_bytes(self, dropout: DropoutConfig) -> int:
        """Memory that one clip takes in a history, by formula."""
        return History.clip_bytes(self._chat(dropout).reader, marker=0)

    def clips(self, count: int) -> list[Clip]:
        """Return clips of noise, of the size that the encoder takes."""
        vision = self.config.vision
        shape = (vision.frames_per_clip, vision.image_size, vision.image_size, 3)
        frames = torch.randint(0, 256, (count, *shape), dtype=torch.uint8)
        return [Clip(pixels, 4.0 * n, 4.0 * n + 3.0) for n, pixels in enumerate(frames)]

    def pixels(self, count: int) -> Tensor:
        """Return such clips on the device, normalised."""
        return self._normalised(self.clips(count))

    @torch.inference_mode()
    def features(self, pixels: Tensor) -> Tensor:
        """Return what the video encoder alone makes of `pixels`."""
        features: Tensor = self.vision(pixels)
        return features

    def features_cudnn(self, pixels: Tensor) -> Tensor:
        """Return the same, attending with cuDNN's kernel instead of the one that torch chooses."""
        with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
            return self.features(pixels)

    def history(self, dropout: DropoutConfig) -> Filled:
        """Return a history of nothing yet, read with `dropout`."""
        chat = self._chat(dropout)
        return Filled(chat.reader, self._embed(chat.prompt.prefix()), chat.reach, RESERVED)

    def extend(self, history: History, count: int) -> None:
        """Let `history` read `count` clips more, at most `CLIPS_AT_ONCE`."""
        self.chat.extend(history, self._tokens(len(history.clips), count))

    def unbounded(self, history: Filled) -> Filled:
        """Return the same history, its questions keeping the paper's share however many there are."""
        return history.asked_through(self._chat(self.config.dropout.with_budget(None)).reader)

    def question(self, history: Filled, most: float) -> dict[str, float]:
        """Ask `history`; return the seconds to the first word and of each word after it.

        Args:
            history: Which is left as it was.
            most: Seconds after which it is not asked again.
        """

        def first() -> Reading:
            asked = self.chat.ask(history, QUESTION)
            assert asked is not None
            int(asked.reading.logits.argmax())
            return asked.reading

        word = self.gpu.median(first, most)
        reading = first()

        def step() -> None:
            history.reader.step([reading], [int(reading.logits.argmax())])

        return {
            "first_word_s": word,
            "next_word_s": self.gpu.median(step, most / 4),
            "tokens_kept": reading.tokens_kept,
        }

    def one_pass(self, frames: int, dropout: DropoutConfig) -> float:
        """Return the seconds to the first word when everything is read after the question came."""
        chat, count = self._chat(dropout), -(-frames // self.frames_per_clip)
        clips = [
            clip
            for first in range(0, count, CLIPS_AT_ONCE)
            for clip in self._tokens(first, min(CLIPS_AT_ONCE, count - first))
        ]
        return self.gpu.seconds(lambda: int(chat.read_once(clips, QUESTION).logits.argmax()))

    def _tokens(self, first: int, count: int) -> list[ClipTokens]:
        starts = (4.0 * (first + n) for n in range(count))
        return [
            ClipTokens(values, start, start + 3.0)
            for values, start in zip(self._seen[:count], starts, strict=True)
        ]

    def _normalised(self, clips: Sequence[Clip]) -> Tensor:
        frames = squares(clips, self.config.vision.image_size, self.gpu.device)
        return normalise(frames, self.config.vision, self.gpu.dtype)

    def _chat(self, dropout: DropoutConfig) -> VideoChat:
        parts = ModelParts(
            name="random",
            encoder_name="random",
            config=self.config,
            encoder=lambda clips: self.features(self._normalised(clips)),
            projector=self._projector,
            decoder=self._decoder,
            prompt=Prompt(ByteTokenizer(), FLASH),
        )
        return VideoChat(parts, dropout)

    def _embed(self, tokens: Sequence[int]) -> Tensor:
        ids = torch.tensor(tokens, device=self.gpu.device)
        with torch.inference_mode():
            return self._decoder.embed(ids)

    def _made(self, network: Callable[[], Network]) -> Network:
        """Return a network of random weights, made on the device and in its numbers at once."""
        usual = torch.get_default_dtype()
        torch.set_default_dtype(self.gpu.dtype)
        try:
            with self.gpu.device:
                made = network().eval().requires_grad_(False)
        finally:
            torch.set_default_dtype(usual)
        for name, weights in made.named_parameters():
            if weights.ndim > 1:
                nn.init.normal_(weights, std=0.02)
            else:  # norms change nothing, biases neither
                nn.init.constant_(weights, float(name.endswith("weight")))
        return made


def _reaching(config: FlashConfig, frames: int) -> FlashConfig:
    """Return `config` with positions stretched as far as `frames` need."""
    language, vision = config.language, config.vision
    clips = -(-frames // vision.frames_per_clip) + CLIPS_AT_ONCE
    needed = clips * vision.tokens_per_clip * config.visual_step + RESERVED + PREFIX
    if needed <= language.max_positions:
        return config
    scaling = RopeScaling(math.ceil(needed / language.max_positions), language.max_positions)
    return replace(config, language=replace(language, rope_scaling=scaling))
