"""The plan by which tokens go through the language model: which layers, what is dropped before them.

Stages of dropout divide the layers into segments; inside a segment every layer reads the same tokens.
`model/reading.py` walks all of them with a whole prompt, `model/history.py` the *early* ones, in which
nothing depends on a question, with every clip as it arrives.

Source: VideoChat-Flash (https://arxiv.org/abs/2501.00574), section on video-level compression.
"""

from dataclasses import dataclass
from itertools import pairwise

from model.config import DropoutConfig, DropStage
from model.language.dropout import places_kept


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive layers that read the same tokens.

    Attributes:
        number: Which of the plan's segments it is, from 0.
        layers: Its layers.
        stage: What drops tokens before them; None before the first layer.
        places: Of a clip's visual tokens, those that the clip-wise stages up to here have left. All
            that stay, unless a stage that looks at more than one clip drops some besides.
    """

    number: int
    layers: range
    stage: DropStage | None
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All segments of a language model, in order.

    Attributes:
        segments: At least one.
        tokens_per_clip: Visual tokens of a clip before anything is dropped.
    """

    segments: tuple[Segment, ...]
    tokens_per_clip: int

    @staticmethod
    def of(dropout: DropoutConfig, layers: int, tokens_per_clip: int) -> "Plan":
        """Return the plan for a model of so many layers, whose clips have so many visual tokens.

        Raises:
            ValueError: If a stage keeps no token of a clip.
        """
        dropout.check(tokens_per_clip)
        borders = [0, *(stage.layer for stage in dropout.stages), layers]
        places = tuple(range(tokens_per_clip))
        segments = []
        for number, (first, stop) in enumerate(pairwise(borders)):
            stage = dropout.stages[number - 1] if number else None
            if stage is not None and stage.inside_clips:
                places = places_kept(places, stage, tokens_per_clip)
            segments.append(Segment(number, range(first, stop), stage, places))
        return Plan(tuple(segments), tokens_per_clip)

    @property
    def selection(self) -> Segment | None:
        """The first segment that reads only what a question selects; None if there is none."""
        guided = (s for s in self.segments if s.stage is not None and s.stage.kind == "attention")
        return next(guided, None)

    @property
    def early(self) -> tuple[Segment, ...]:
        """The segments in which nothing depends on a question: what a history reads on arrival."""
        return self.segments if self.selection is None else self.segments[: self.selection.number]

    @property
    def grows_by_clips(self) -> bool:
        """Whether what `early` segments read of a clip stays the same when another clip arrives."""
        return all(segment.stage is None or segment.stage.inside_clips for segment in self.early)
