"""Many questions about many shows, in one pass that equals asking them one by one.

The clips of a show are read once; every question with its answer is a branch that sees the clips and
itself. Visual tokens are dropped as they are in service: the same share of every clip before one layer
and, before a deeper one, those that each question attends to least. Shows of different lengths stand
side by side, the shorter ones filled up with tokens that nobody sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import sqrt

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from torch.nn.utils.rnn import pad_sequence

from model.config import DropStage
from model.language.decoder import Attend, Decoder, Layer
from model.language.dropout import TEXT, places_kept, stays_in_each_clip
from model.language.prompt import Prompt, VisibleSpan
from model.types import Question
from training.questions import Asked

SHARED = 0
"""Branch of a token that every question sees."""
IDLE = -1
"""Branch of a token that only fills a row up."""
UNSAID = -100
"""Target of a token after which nothing is to be learned."""


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A show and its questions as one row of tokens, or several shows as rows of one length.

    Attributes:
        ids: Text tokens; 0 where a visual token stands.
        clip: As in `model.language.dropout.Tokens`.
        place: As in `model.language.dropout.Tokens`.
        branch: Which question a token belongs to, from 1; 0 is seen by all, -1 by none.
        target: The token to be said next; -100 where nothing is to be learned.
    """

    ids: Int64[Tensor, "*shows n"]
    clip: Int64[Tensor, "*shows n"]
    place: Int64[Tensor, "*shows n"]
    branch: Int64[Tensor, "*shows n"]
    target: Int64[Tensor, "*shows n"]

    def to(self, device: torch.device) -> "Packed":
        """Return the same on another device."""
        columns = (getattr(self, field.name) for field in fields(self))
        return Packed(*(column.to(device, non_blocking=True) for column in columns))

    def visible(self) -> Bool[Tensor, "*shows n n"]:
        """Return which tokens each one sees: what is shared and its own branch, up to itself."""
        seen, by = self.branch[..., None, :], self.branch[..., None]
        count = self.branch.shape[-1]
        causal = torch.ones(count, count, dtype=torch.bool, device=self.branch.device).tril()
        return ((seen == SHARED) | (seen == by)) & causal

    def positions(self, visual_step: float) -> Float[Tensor, "*shows n"]:
        """Return each token's position: the steps of all that it sees before itself."""
        steps = torch.where(self.place >= 0, visual_step, 1.0)
        return (self.visible().float() @ steps[..., None])[..., 0] - steps


_FILL = Packed(*(torch.tensor(value) for value in (0, TEXT, TEXT, IDLE, UNSAID)))


def side_by_side(shows: Sequence[Packed]) -> Packed:
    """Return shows of any lengths as rows of one."""
    columns = {
        field.name: pad_sequence(
            [getattr(show, field.name) for show in shows],
            batch_first=True,
            padding_value=int(getattr(_FILL, field.name)),
        )
        for field in fields(Packed)
    }
    return Packed(**columns)


def pack(
    starts: Sequence[float],
    seen: VisibleSpan,
    duration: float | None,
    asked: Sequence[Asked],
    prompt: Prompt,
    tokens_per_clip: int,
    notes: Sequence[str] = (),
) -> Packed:
    """Lay out clips with questions about them as one row, exactly as the service words them.

    Args:
        starts: Media time of each clip's first frame, in seconds.
        seen: What the questions may look at.
        duration: Of a film that was watched to its end, in seconds; None of a stream.
        asked: The questions.
        prompt: How the language model is spoken to.
        tokens_per_clip: Visual tokens of a clip.
        notes: What the marker of each clip says besides; none are the same as empty ones.
    """
    rows: list[tuple[int, int, int, int, int]] = [(t, TEXT, TEXT, SHARED, UNSAID) for t in prompt.prefix()]  # fmt: skip
    for number, (start, note) in enumerate(zip(starts, notes or [""] * len(starts), strict=True)):
        rows += [(t, number, TEXT, SHARED, UNSAID) for t in prompt.marker(start, note)]
        rows += [(0, number, place, SHARED, UNSAID) for place in range(tokens_per_clip)]
    suffixes = [prompt.suffix(Question(one.question, duration=duration), seen) for one in asked]
    common = _common(suffixes)
    rows += [(t, TEXT, TEXT, SHARED, UNSAID) for t in suffixes[0][:common]]
    for branch, (one, suffix) in enumerate(zip(asked, suffixes, strict=True), start=1):
        answer = [*prompt.tokenizer.plain(one.answer), prompt.end]
        read = [*suffix[common:], *answer[:-1]]
        learned = [UNSAID] * (len(read) - len(answer)) + answer
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
        deep_ratios: The share of all there were that it sees, one for each show; 1 drops nothing
            there.
    """

    early: DropStage
    deep_layer: int = 19
    deep_ratios: tuple[float, ...] = (1.0,)


def answer_logits(
    decoder: Decoder,
    shows: Packed,
    visual: Float[Tensor, "v hidden"],
    dropping: Dropping,
    tokens_per_clip: int,
    visual_step: float,
) -> tuple[Float[Tensor, "t vocab"], Int64[Tensor, " t"]]:
    """Return the logits wherever something is to be said, and what is to be said there, in order.

    Args:
        decoder: The language model.
        shows: Shows with their questions, side by side.
        visual: Their clips' projected tokens, in order.
        dropping: What is dropped on the way.
        tokens_per_clip: Visual tokens of a clip.
        visual_step: How far a visual token moves the position of the next one.
    """
    hidden = decoder.embed(shows.ids)
    hidden = hidden.index_put((shows.place >= 0).nonzero(as_tuple=True), visual.to(hidden.dtype))
    ratios = torch.tensor(dropping.deep_ratios, dtype=torch.float64, device=hidden.device)
    keep = ((shows.clip != TEXT).sum(dim=1) * ratios).long()
    hidden = _through(decoder, hidden, shows, range(dropping.early.layer), visual_step)
    places = places_kept(range(tokens_per_clip), dropping.early, tokens_per_clip)
    stays = stays_in_each_clip(shows.place, places, tokens_per_clip) & (shows.branch != IDLE)
    hidden, shows = _keep(hidden, shows, stays)
    layers = range(dropping.early.layer, dropping.deep_layer)
    hidden = _through(decoder, hidden, shows, layers, visual_step)
    layers = range(dropping.deep_layer, decoder.config.layers)
    if bool((keep >= (shows.clip != TEXT).sum(dim=1)).all()):
        hidden = _through(decoder, hidden, shows, layers, visual_step)
        said = shows.target >= 0
        return decoder.logits(hidden[said]), shows.target[said]
    show, goes_on = _select(decoder, hidden, shows, dropping.deep_layer, keep, visual_step)
    alone = Packed(*(getattr(shows, field.name)[show] for field in fields(shows)))
    hidden, alone = _keep(hidden[show], alone, goes_on)
    return _apart(decoder, hidden, alone, layers, visual_step)


def _keep(
    hidden: Float[Tensor, "b n hidden"], shows: Packed, stays: Bool[Tensor, "b n"]
) -> tuple[Tensor, Packed]:
    """Return the tokens that stay, moved together, rows filled up to the longest."""
    index = (~stays).to(torch.uint8).sort(dim=1, stable=True).indices
    index = index[:, : int(stays.sum(dim=1).max())]
    idle = ~stays.gather(1, index)
    columns = (
        getattr(shows, field.name).gather(1, index).masked_fill(idle, int(getattr(_FILL, field.name)))
        for field in fields(shows)
    )  # fmt: skip
    rows = torch.arange(len(hidden), device=hidden.device)[:, None]
    return hidden[rows, index], Packed(*columns)


def _through(
    decoder: Decoder, hidden: Tensor, shows: Packed, layers: range, visual_step: float
) -> Tensor:
    rotary = decoder.rotary(shows.positions(visual_step))
    attend = _attend(shows.visible()[:, None])
    for index in layers:
        hidden = decoder.layer(index)(hidden, rotary, attend)
    return hidden


def _attend(mask: Tensor | None) -> Attend:
    def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        shared = queries.shape[-3] // keys.shape[-3]
        keys, values = (rows.repeat_interleave(shared, dim=-3) for rows in (keys, values))
        return scaled_dot_product_attention(queries, keys, values, mask, is_causal=mask is None)

    return attend


@torch.no_grad()
def _select(
    decoder: Decoder,
    hidden: Tensor,
    shows: Packed,
    index: int,
    keep: Int64[Tensor, " b"],
    visual_step: float,
) -> tuple[Int64[Tensor, " r"], Bool[Tensor, "r n"]]:
    """Return for every question its show and the tokens that go on: text, the best visual ones, its own.

    Args:
        decoder: The language model.
        hidden: Input of the layer that the questions choose for.
        shows: The tokens.
        index: Number of that layer.
        keep: How many tokens of its clips each show keeps.
        visual_step: How far a visual token moves the position of the next one.
    """
    layer: Layer = decoder.layer(index)
    rotary = decoder.rotary(shows.positions(visual_step))
    normed = layer.input_layernorm(hidden)
    queries, keys = layer.self_attn.queries(normed, rotary), layer.self_attn.keys(normed, rotary)
    numbers = torch.arange(1, int(shows.branch.max()) + 1, device=hidden.device)
    show, asks = (shows.branch[:, None] == numbers[:, None]).any(-1).nonzero(as_tuple=True)
    branch = shows.branch[show]
    own, shared = branch == numbers[asks][:, None], branch == SHARED
    said = own & (shows.target[show] >= 0)
    last = said.int().argmax(dim=1)  # where the answer begins
    order = torch.arange(branch.shape[1], device=hidden.device)
    asked = shared | (own & (order <= last[:, None]))
    query = queries[show, :, last].reshape(len(show), keys.shape[1], -1, keys.shape[-1])
    scores = ((query @ keys[show].mT) * (1 / sqrt(query.shape[-1]))).float()
    scores = scores.masked_fill(~asked[:, None, None], -torch.inf).softmax(-1).mean(dim=(1, 2))
    droppable = shared & (shows.clip[show] != TEXT)
    rank = scores.masked_fill(~droppable, -1.0).argsort(dim=1, descending=True).argsort(dim=1)
    best = droppable & (rank < keep[show][:, None])
    return show, own | (shared & ~droppable) | best


def _apart(
    decoder: Decoder, hidden: Tensor, alone: Packed, layers: range, visual_step: float
) -> tuple[Tensor, Tensor]:
    """Run every question with what it sees on its own through `layers`; idle tokens stand last."""
    steps = torch.where(alone.place >= 0, visual_step, 1.0)
    rotary = decoder.rotary(steps.cumsum(-1) - steps)
    attend = _attend(None)
    for number in layers:
        hidden = decoder.layer(number)(hidden, rotary, attend)
    said = alone.target >= 0
    return decoder.logits(hidden[said]), alone.target[said]
