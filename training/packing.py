"""Many questions about one show, in one pass that equals asking them one by one.

The clips are read once; every question with its answer is a branch that sees the clips and itself.
Visual tokens are dropped as they are in service: the same share of every clip before one layer and,
before a deeper one, those that each question attends to least.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from model.config import DropStage
from model.language.decoder import Attend, Decoder, Layer
from model.language.dropout import (
    TEXT,
    kept_by_score,
    kept_in_each_clip,
    places_kept,
    text_guided_scores,
)
from model.language.prompt import Prompt, VisibleSpan
from model.types import Question
from training.questions import Asked

SHARED = 0
"""Branch of a token that every question sees."""


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A show and its questions, as one row of tokens.

    Attributes:
        ids: Text tokens; 0 where a visual token stands.
        clip: As in `model.language.dropout.Tokens`.
        place: As in `model.language.dropout.Tokens`.
        branch: Which question a token belongs to, from 1; 0 is seen by all.
        target: The token to be said next; -100 where nothing is to be learned.
    """

    ids: Int64[Tensor, " n"]
    clip: Int64[Tensor, " n"]
    place: Int64[Tensor, " n"]
    branch: Int64[Tensor, " n"]
    target: Int64[Tensor, " n"]

    def keep(self, index: Int64[Tensor, " kept"]) -> "Packed":
        """Return the tokens at `index`."""
        columns = (self.ids, self.clip, self.place, self.branch, self.target)
        return Packed(*(column[index] for column in columns))

    def visible(self) -> Bool[Tensor, "n n"]:
        """Return which tokens each one sees: what is shared and its own branch, up to itself."""
        same = (self.branch[None] == SHARED) | (self.branch[None] == self.branch[:, None])
        return same & torch.ones(len(self.ids), len(self.ids), dtype=torch.bool).tril()

    def positions(self, visual_step: float) -> Float[Tensor, " n"]:
        """Return each token's position: the steps of all that it sees before itself."""
        steps = torch.where(self.place >= 0, visual_step, 1.0)
        return self.visible().float() @ steps - steps


def pack(
    starts: Sequence[float],
    seen: VisibleSpan,
    duration: float | None,
    asked: Sequence[Asked],
    prompt: Prompt,
    tokens_per_clip: int,
    notes: Sequence[str] = (),
) -> Packed:
    """Lay out clips with questions about them, exactly as the service words them.

    Args:
        starts: Media time of each clip's first frame, in seconds.
        seen: What the questions may look at.
        duration: Of a film that was watched to its end, in seconds; None of a stream.
        asked: The questions.
        prompt: How the language model is spoken to.
        tokens_per_clip: Visual tokens of a clip.
        notes: What the marker of each clip says besides; none are the same as empty ones.
    """
    rows: list[tuple[int, int, int, int, int]] = [(t, TEXT, TEXT, SHARED, -100) for t in prompt.prefix()]  # fmt: skip
    for number, (start, note) in enumerate(zip(starts, notes or [""] * len(starts), strict=True)):
        rows += [(t, number, TEXT, SHARED, -100) for t in prompt.marker(start, note)]
        rows += [(0, number, place, SHARED, -100) for place in range(tokens_per_clip)]
    suffixes = [prompt.suffix(Question(one.question, duration=duration), seen) for one in asked]
    common = _common(suffixes)
    rows += [(t, TEXT, TEXT, SHARED, -100) for t in suffixes[0][:common]]
    for branch, (one, suffix) in enumerate(zip(asked, suffixes, strict=True), start=1):
        answer = [*prompt.tokenizer.plain(one.answer), prompt.end]
        read = [*suffix[common:], *answer[:-1]]
        learned = [-100] * (len(read) - len(answer)) + answer
        rows += [(t, TEXT, TEXT, branch, goal) for t, goal in zip(read, learned, strict=True)]
    return Packed(*torch.tensor(rows, dtype=torch.int64).unbind(dim=-1))


def _common(rows: Sequence[Sequence[int]]) -> int:
    """Return how many tokens at their beginning all rows share, the last of any not among them."""
    most = min(len(row) for row in rows) - 1
    return next((n for n in range(most) if len({row[n] for row in rows}) > 1), most)


@dataclass(frozen=True, slots=True)
class Dropping:
    """Where visual tokens are dropped, and how many.

    Attributes:
        early: The stage that keeps a share of every clip.
        deep_layer: The first layer that sees what a question attends to most.
        deep_ratio: The share of all there were that it sees; 1 drops nothing there.
    """

    early: DropStage
    deep_layer: int = 19
    deep_ratio: float = 1.0


def answer_logits(
    decoder: Decoder,
    packed: Packed,
    visual: Float[Tensor, "v hidden"],
    dropping: Dropping,
    tokens_per_clip: int,
    visual_step: float,
) -> tuple[Float[Tensor, "t vocab"], Int64[Tensor, " t"]]:
    """Return the logits wherever something is to be said, and what is to be said there.

    Args:
        decoder: The language model.
        packed: A show with its questions.
        visual: Its clips' projected tokens, in order.
        dropping: What is dropped on the way.
        tokens_per_clip: Visual tokens of a clip.
        visual_step: How far a visual token moves the position of the next one.
    """
    hidden = decoder.embed(packed.ids)
    hidden = hidden.index_put(((packed.place >= 0).nonzero()[:, 0],), visual.to(hidden.dtype))
    droppable = int((packed.clip != TEXT).sum())
    hidden = _through(decoder, hidden, packed, range(dropping.early.layer), visual_step)
    places = places_kept(range(tokens_per_clip), dropping.early, tokens_per_clip)
    kept = kept_in_each_clip(packed.place, places, tokens_per_clip)
    hidden, packed = hidden[kept], packed.keep(kept)
    layers = range(dropping.early.layer, dropping.deep_layer)
    hidden = _through(decoder, hidden, packed, layers, visual_step)
    layers = range(dropping.deep_layer, decoder.config.layers)
    keep = int(droppable * dropping.deep_ratio)
    if keep >= int((packed.clip != TEXT).sum()):
        hidden = _through(decoder, hidden, packed, layers, visual_step)
        said = packed.target >= 0
        return decoder.logits(hidden[said]), packed.target[said]
    branches = _select(decoder, hidden, packed, dropping.deep_layer, keep, visual_step)
    return _apart(decoder, hidden, packed, branches, layers, visual_step)


def _through(
    decoder: Decoder, hidden: Tensor, packed: Packed, layers: range, visual_step: float
) -> Tensor:
    rotary = decoder.rotary(packed.positions(visual_step)[None])
    attend = _attend(packed.visible())
    hidden = hidden[None]
    for index in layers:
        hidden = decoder.layer(index)(hidden, rotary, attend)
    return hidden[0]


def _attend(mask: Tensor | None) -> Attend:
    def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        shared = queries.shape[-3] // keys.shape[-3]
        keys, values = (rows.repeat_interleave(shared, dim=-3) for rows in (keys, values))
        return scaled_dot_product_attention(queries, keys, values, mask, is_causal=mask is None)

    return attend


@torch.no_grad()
def _select(
    decoder: Decoder, hidden: Tensor, packed: Packed, index: int, keep: int, visual_step: float
) -> list[Tensor]:
    """Return, for every branch, the tokens that go on: text, the best visual ones, its own."""
    layer: Layer = decoder.layer(index)
    rotary = decoder.rotary(packed.positions(visual_step)[None])
    normed = layer.input_layernorm(hidden)[None]
    queries = layer.self_attn.queries(normed, rotary)[0]
    keys = layer.self_attn.keys(normed, rotary)[0]
    chosen = []
    for branch in range(1, int(packed.branch.max()) + 1):
        own = (packed.branch == branch).nonzero()[:, 0]
        said = packed.target[own] >= 0
        asked = own[: int(said.nonzero()[0, 0]) + 1]  # up to where the answer begins
        seen = torch.cat([(packed.branch == SHARED).nonzero()[:, 0], asked])
        scores = text_guided_scores(queries[:, asked[-1:]], [keys[:, seen]])
        kept = seen[kept_by_score(packed.clip[seen], scores, keep)]
        chosen.append(torch.cat([kept, own[len(asked) :]]))
    return chosen


def _apart(
    decoder: Decoder,
    hidden: Tensor,
    packed: Packed,
    branches: Sequence[Tensor],
    layers: range,
    visual_step: float,
) -> tuple[Tensor, Tensor]:
    """Run every branch on its own through `layers`, as a batch with idle tokens at its ends."""
    index = torch.nn.utils.rnn.pad_sequence(list(branches), batch_first=True, padding_value=-1)
    idle = index < 0
    index = index.clamp_min(0)
    steps = torch.where(packed.place[index] >= 0, visual_step, 1.0)
    rotary = decoder.rotary(steps.cumsum(-1) - steps)
    rows = hidden[index]
    attend = _attend(None)
    for number in layers:
        rows = decoder.layer(number)(rows, rotary, attend)
    target = packed.target[index].masked_fill(idle, -100)
    said = target >= 0
    return decoder.logits(rows[said]), target[said]
