"""The trained pieces of one network, as `model/zoo` makes them and `VideoChat` uses them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor, nn

from model.config import FlashConfig
from model.folding.fold import Rows
from model.folding.visual_rows import VisualRows
from model.language.clip_markers import Note
from model.language.decoder import Decoder
from model.language.prompt import Prompt
from model.types import GREEDY, Clip, ClipTokens, Sampling
from model.vision.things import Thing
from model.zoo.as_released import Published

Encoder = Callable[[Sequence[Clip]], Float[Tensor, "clips tokens features"]]
"""A video encoder with its own resizing and normalisation: clips of as many frames as it takes in,
features of every patch out."""


ThingsOf = Callable[[ClipTokens], Sequence[Thing]]
"""What a clip shows thing by thing, as `Engine.things` returns it; called from any thread."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelParts:
    """The trained pieces of one network.

    Attributes:
        name: The preset, such as `lite`.
        encoder_name: Names the encoder and its weights.
        config: The shapes.
        encoder: Pixels to features.
        projector: Merged features to the language model's input space.
        decoder: The language model.
        prompt: How to speak to it.
        ends: Tokens that end an answer, besides the one that ends a turn.
        sampling: How answers are written unless a question says otherwise.
        no_repeat_ngram_size: No answer writes a row of so many tokens twice; 0 is no such bound.
        evidence_layer: See `PromptReader`.
        exact_columns: See `Engine`.
        published: What the files of a released checkpoint say about running it.
        follow_ups: Whether it was trained on conversations: earlier lines help it.
        things: What a clip shows thing by thing, with counts, colours and places; None if the network
            cannot tell without being asked.
        note: What is new in a clip; None if its language model was not taught to read that.
        rows: How rows of old clips are folded.
    """

    name: str
    encoder_name: str
    config: FlashConfig
    encoder: Encoder
    projector: nn.Module
    decoder: Decoder
    prompt: Prompt
    ends: frozenset[int] = frozenset()
    sampling: Sampling = GREEDY
    no_repeat_ngram_size: int = 0
    evidence_layer: int | None = None
    exact_columns: int = 0
    published: Published | None = None
    follow_ups: bool = True
    things: ThingsOf | None = None
    note: Note | None = None
    rows: Rows = field(default_factory=VisualRows)
