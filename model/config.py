"""The shapes of every network we can build.

A configuration is a value: making one costs nothing and touches neither disk nor device. It
refuses shapes that cannot work, so that the modules that build networks need not check again.

Source: VideoChat-Flash (https://arxiv.org/abs/2501.00574).
"""

import math
from dataclasses import dataclass, field, replace
from typing import Literal

DropKind = Literal["uniform", "clipwise", "leading", "attention"]


@dataclass(frozen=True, slots=True)
class VisionConfig:
    """A video encoder that looks at a few frames together.

    Attributes:
        image_size: Height and width of the frames it takes, in pixels.
        patch_size: Height and width of the square that becomes one token, in pixels.
        frames_per_clip: Frames encoded together.
        width: Features per token.
        heads: Attention heads; token merging compares tokens by the mean over them.
        depth: Blocks of the published network; `blocks` says how many of them run.
        select_layer: Which block's output is used, counted from the end: -1 is the last.
        mlp_ratio: Width of a block's hidden layer, as a multiple of `width`.
        tokens_per_clip: Tokens that a clip is merged to.
        frame_side: Shorter side of frames, in pixels, up to which the encoder sees more of them;
            None is `image_size`.
        one_scene: Whether a clip must not span a cut, since the encoder says one thing of it.
        mean: Per colour channel, subtracted from pixels scaled to 0...1.
        std: Per colour channel, divides what is left.
    """

    image_size: int = 224
    patch_size: int = 16
    frames_per_clip: int = 4
    width: int = 1024
    heads: int = 16
    depth: int = 24
    select_layer: int = -2
    mlp_ratio: float = 4.0
    tokens_per_clip: int = 64
    frame_side: int | None = None
    one_scene: bool = False
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        """Check that the shapes fit each other.

        Raises:
            ValueError: If one does not divide what it must, or no block would run.
        """
        _divides("image_size", self.image_size, "patch_size", self.patch_size)
        _divides("width", self.width, "heads", self.heads)
        if not -self.depth <= self.select_layer <= -1:
            raise ValueError(
                f"select_layer counts blocks from the end, -1 to -{self.depth}; "
                f"got {self.select_layer}"
            )
        if not 1 <= self.tokens_per_clip <= self.patches:
            raise ValueError(
                f"a clip of {self.patches} patches cannot become {self.tokens_per_clip} tokens"
            )

    @property
    def blocks(self) -> int:
        """How many blocks run; the published networks leave out the ones after them."""
        return self.depth + self.select_layer + 1

    @property
    def grid(self) -> int:
        """Patches along one side of a frame."""
        return self.image_size // self.patch_size

    @property
    def patches(self) -> int:
        """Tokens of a whole clip before merging."""
        return self.frames_per_clip * self.grid**2


@dataclass(frozen=True, slots=True)
class RopeScaling:
    """YaRN: how rotary positions reach beyond what the language model was trained on.

    Source: Peng et al. (https://arxiv.org/abs/2309.00071).

    Attributes:
        factor: How many times further positions reach.
        original_positions: The reach before scaling.
    """

    factor: float
    original_positions: int

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: If the reach would shrink or has no beginning.
        """
        if not 1 <= self.factor < math.inf or self.original_positions < 1:
            raise ValueError(f"YaRN cannot stretch {self.original_positions} by {self.factor}")


@dataclass(frozen=True, slots=True)
class LanguageConfig:
    """A decoder of the Llama family: Qwen2 (with biases) or Llama itself (without).

    Attributes:
        hidden: Features per token.
        layers: Decoder layers.
        heads: Query heads of a layer.
        kv_heads: Key and value heads of a layer.
        head_dim: Features per head.
        intermediate: Width of a layer's gated hidden layer.
        vocab: Rows of the embedding.
        rope_theta: Base of the rotary frequencies.
        rms_eps: Added to the mean square before the root.
        qkv_bias: Whether query, key and value have biases, as in Qwen2.
        tied_embeddings: Whether the output layer is the embedding itself.
        max_positions: Positions it was trained on, before any scaling.
        rope_scaling: How positions beyond that are reached; None means they are not.
    """

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    rope_theta: float = 1_000_000.0
    rms_eps: float = 1e-6
    qkv_bias: bool = True
    tied_embeddings: bool = False
    max_positions: int = 32_768
    rope_scaling: RopeScaling | None = None

    def __post_init__(self) -> None:
        """Check that the shapes fit each other.

        Raises:
            ValueError: If query heads do not share key/value heads evenly, or a head is odd.
        """
        _divides("heads", self.heads, "kv_heads", self.kv_heads)
        _divides("head_dim", self.head_dim, "2 (rotary pairs)", 2)


@dataclass(frozen=True, slots=True)
class DropStage:
    """One place inside the language model where visual tokens are dropped.

    Attributes:
        layer: The first layer that sees fewer tokens.
        ratio: Share of the visual tokens *there were at the beginning* that stays.
        kind: `uniform` spreads the kept ones over the whole video (the reference's rule),
            `clipwise` over every clip alike (so that a clip's share never changes when another
            arrives), `leading` keeps the first of every clip (for encoders that put what weighs
            most first), `attention` keeps those that the question attends to most.
        budget: Keep at most this many, whatever the share: what a question costs then has an
            upper bound, however long the video.
    """

    layer: int
    ratio: float
    kind: DropKind
    budget: int | None = None

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: If the stage keeps nothing, more than all, or comes before every layer.
        """
        if self.layer < 1:
            raise ValueError(f"tokens cannot be dropped before layer 1, got layer {self.layer}")
        if not 0 < self.ratio <= 1:
            raise ValueError(f"the kept share must be above 0 and at most 1, got {self.ratio}")
        if self.budget is not None and (self.budget < 1 or self.kind != "attention"):
            raise ValueError(
                f"a budget is a number of tokens for an attention stage, got "
                f"{self.budget} for {self.kind}"
            )

    @property
    def inside_clips(self) -> bool:
        """Whether it keeps the same places of every clip, whatever other clips there are."""
        return self.kind in {"clipwise", "leading"}

    def keep(self, visual_tokens: int) -> int:
        """Return how many tokens stay of `visual_tokens`, counted before any stage."""
        share = int(visual_tokens * self.ratio)
        return share if self.budget is None else min(share, self.budget)


@dataclass(frozen=True, slots=True)
class DropoutConfig:
    """Progressive visual dropout: the stages in order of their layers; none drops nothing."""

    stages: tuple[DropStage, ...] = ()

    def __post_init__(self) -> None:
        """Check that every stage follows, and keeps no more than, the one before.

        Raises:
            ValueError: If it does not.
        """
        for before, after in zip(self.stages, self.stages[1:], strict=False):
            if after.layer <= before.layer or after.ratio > before.ratio:
                raise ValueError(
                    f"stages go deeper and keep less: layer {after.layer} ({after.ratio}) "
                    f"cannot follow layer {before.layer} ({before.ratio})"
                )

    def check(self, tokens_per_clip: int) -> None:
        """Check that every stage keeps something of a clip of `tokens_per_clip` visual tokens.

        Raises:
            ValueError: If one keeps nothing.
        """
        for stage in self.stages:
            if stage.keep(tokens_per_clip) < 1:
                raise ValueError(
                    f"the stage at layer {stage.layer} keeps {stage.ratio} of a clip's "
                    f"{tokens_per_clip} tokens, which is none; the least is {1 / tokens_per_clip}"
                )

    def clipwise(self) -> "DropoutConfig":
        """Return the same stages with every `uniform` one made `clipwise`."""
        return DropoutConfig(
            tuple(replace(s, kind="clipwise") if s.kind == "uniform" else s for s in self.stages)
        )

    def with_budget(self, tokens: int | None) -> "DropoutConfig":
        """Return the same stages with every `attention` one keeping at most `tokens`.

        None takes a bound away.
        """
        return DropoutConfig(
            tuple(replace(s, budget=tokens) if s.kind == "attention" else s for s in self.stages)
        )


REFERENCE_DROPOUT = DropoutConfig((DropStage(4, 0.75, "uniform"), DropStage(18, 0.25, "attention")))
"""What the paper uses for a language model of 28 layers."""


@dataclass(frozen=True, slots=True)
class FlashConfig:
    """A whole network.

    Attributes:
        vision: The video encoder.
        language: The language model.
        dropout: Where and how visual tokens are dropped inside the language model.
        visual_step: How far a visual token moves the position of the next one; 1 is the
            released models', less lets a longer video fit the positions that were trained.
    """

    vision: VisionConfig
    language: LanguageConfig
    dropout: DropoutConfig = field(default=REFERENCE_DROPOUT.clipwise())
    visual_step: float = 1.0

    def __post_init__(self) -> None:
        """Check that the parts fit each other.

        Raises:
            ValueError: If a stage lies beyond the last layer or keeps no token of a clip, or
                positions stand still.
        """
        self.dropout.check(self.vision.tokens_per_clip)
        deepest = max((s.layer for s in self.dropout.stages), default=0)
        if deepest >= self.language.layers:
            raise ValueError(
                f"cannot drop at layer {deepest}: there are {self.language.layers} layers"
            )
        if self.visual_step <= 0:
            raise ValueError(f"positions must move forward, got {self.visual_step=}")


def _divides(whole_name: str, whole: int, part_name: str, part: int) -> None:
    if whole < 1 or part < 1 or whole % part:
        raise ValueError(f"{part_name} = {part} must divide {whole_name} = {whole}")
