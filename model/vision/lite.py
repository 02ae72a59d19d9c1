"""The encoder of `lite`: a clip of four frames to rows that hold what it shows.

    frames ─ image network ─► 196 cells ─ blocks ─► their look ──────────────► merged to 16 tokens
                 │ classifier, detector, heads ─► what each cell is believed to be ──┘ (same plan)
                 └────────────────────────────► what the clip as a whole shows ─► 8 things

A row is a visual token (its look, then the few words most believed of it with their weights and its
place) or a thing (`model/vision/things.py`). No row knows the language model that will read it.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from model.vision.colours import colour_of
from model.vision.drawings import drawn_things
from model.vision.merge import match
from model.vision.networks.closer import Closer, View, close_ups, seen_closely
from model.vision.networks.detections import detect
from model.vision.networks.detector import Detector, fit
from model.vision.networks.drawn import Heads
from model.vision.networks.lite_network import COARSE, FRAMES, GRID, SIZE, LiteVision
from model.vision.preprocess import resize
from model.vision.sightings import COUNTED, HALF, FrameDetection, things_of
from model.vision.things import CODE, Thing, pack
from model.vision.vocabulary import IMAGENET_CLASSES, WordTable
from model.vision.whereabouts import whereabouts
from model.vision.word_projector import BELIEFS

_DETECTED = (1, 3)
"""The frames of a clip that the detector looks at: what stays for half of a clip is met by one, and
two tell which way a thing moves. All four would cost as much as the rest of the encoder."""
_PERSON = 0
"""The class of people in COCO."""
_KIND_CLEAR = 0.6
"""A class's share of its word from which on it says which kind."""


class LiteEncoder(nn.Module):
    """Four frames of any size to a clip's rows.

    Args:
        vision: Image network and blocks.
        classifier: Of the image network: 1,280 features to 1,000 classes.
        detector: Of things.
        heads: Of drawings and movement, on the blocks' tokens.
        closer: Of drawn things that are looked at closely.
        table: The words.
        things: Rows for things.
        tokens: Rows for visual tokens.
    """

    words: Tensor

    def __init__(
        self,
        vision: LiteVision,
        classifier: nn.Linear,
        detector: Detector,
        heads: Heads,
        closer: Closer,
        table: WordTable,
        things: int,
        tokens: int,
    ) -> None:
        super().__init__()
        self.vision, self.classifier, self.detector = vision, classifier, detector
        self.heads, self.closer, self._table = heads, closer, table
        self._things, self._tokens = things, tokens
        words = torch.zeros(IMAGENET_CLASSES, len(table))
        words[range(IMAGENET_CLASSES), table.of_imagenet] = 1.0
        self.register_buffer("words", words, persistent=False)

    def forward(
        self, clips: Sequence[UInt8[Tensor, "frames height width 3"]], seconds: Sequence[float]
    ) -> Float[Tensor, "clips rows width"]:
        """Return the rows of clips.

        Args:
            clips: Four frames each.
            seconds: From the first frame to the last of each.

        Raises:
            ValueError: If a clip has not four frames.
        """
        if any(len(clip) != FRAMES for clip in clips):
            raise ValueError(f"a clip has {FRAMES} frames, got {[len(clip) for clip in clips]}")
        device = self.words.device
        squares = torch.stack([resize(clip, SIZE) for clip in clips]).to(device)
        features = self.vision.trunk(squares).float()
        look = self.vision.fuse(features)
        classes = self._classes(features)
        rows = []
        for number, clip in enumerate(clips):
            found = self._detected(clip[list(_DETECTED)])
            between = seconds[number] * (_DETECTED[-1] - _DETECTED[0]) / (FRAMES - 1)
            cells: Tensor = self.classifier(classes[number]).softmax(dim=-1) @ self.words
            drawn = drawn_things(
                self.heads(look[number], features[number].flatten(0, 1)),
                self._table,
                self.heads.names,
                partial(self._close, clip),
            )
            things = (
                drawn if drawn is not None else self._shown(classes[number], cells, found, between)
            )
            beliefs = self._beliefs(cells, found)
            rows.append(self._rows(look[number], beliefs, things))
        return torch.stack(rows)

    def _close(
        self, clip: UInt8[Tensor, "frames height width 3"], views: Sequence[View]
    ) -> Float[Tensor, "views names"]:
        """Return how likely each name is of what is at each view; the last is that nothing is there."""
        pictures = close_ups(clip, views).to(self.words.device)
        said: Tensor = self.closer(seen_closely(self.vision, pictures))
        return said

    def _classes(
        self, features: Float[Tensor, "clips frames cells trunk"]
    ) -> Float[Tensor, "clips frames cells 1280"]:
        head = self.vision.head
        what = nn.functional.linear(
            features[..., :COARSE], head.weight[:, :, 0, 0].float(), head.bias.float()
        )
        return what.clamp(0, 6)

    def _detected(self, clip: UInt8[Tensor, "frames height width 3"]) -> list[list[FrameDetection]]:
        """Return what is detected in each of the frames that are looked at."""
        heat, sizes = self.detector(fit(clip).to(self.words.device))
        frames = []
        for pixels, maps, reach in zip(clip.numpy(), heat.float(), sizes.float(), strict=True):
            seen = detect(maps, reach, HALF)
            frames.append(
                [
                    FrameDetection(
                        self._table.of_coco[kind],
                        score,
                        (left, top, right, bottom),
                        _colour(pixels, (left, top, right, bottom))
                        if score >= COUNTED and self._has_colour(kind)
                        else None,
                    )
                    for kind, score, (left, top, right, bottom) in zip(
                        seen.kinds.tolist(), seen.scores.tolist(), seen.boxes.tolist(), strict=True
                    )
                ]
            )
        return frames

    def _has_colour(self, kind: int) -> bool:
        """Return whether people would say what colour such a thing is; of a person they do not."""
        return kind != _PERSON

    def _shown(
        self,
        what: Float[Tensor, "frames cells 1280"],
        cells: Float[Tensor, "frames cells words"],
        found: list[list[FrameDetection]],
        seconds: float,
    ) -> list[Thing]:
        """Return the things of a clip that is not drawn."""
        each = self.classifier(what.mean(dim=1)).softmax(dim=-1)
        shares = each.mean(dim=0)
        # What half of a clip shows it shows, whatever the other half does.
        words = (each @ self.words).topk(FRAMES // 2, dim=0).values.mean(dim=0)
        top = words.topk(3)
        about = dict(zip(top.indices.tolist(), top.values.tolist(), strict=True))
        kinds = {}
        for word, share in about.items():
            best = (shares * self.words[:, word]).max(dim=0)
            if float(best.values) >= _KIND_CLEAR * max(share, 0.3):
                kinds[word] = int(best.indices)
        where = {
            word: spot
            for word in about
            if (spot := whereabouts(cells[..., word].view(FRAMES, GRID, GRID))) is not None
        }
        return things_of(found, about, kinds, where, seconds, self._table)

    def _beliefs(
        self, cells: Float[Tensor, "frames cells words"], found: list[list[FrameDetection]]
    ) -> Float[Tensor, "tokens words"]:
        """Return what every cell of every frame is believed to be by classifier and detector."""
        frames = cells.view(FRAMES, GRID, GRID, -1)
        for number, seen in zip(_DETECTED, found, strict=True):
            frame = frames[number]
            for one in seen:
                left, top, right, bottom = (round(edge * GRID) for edge in one.box)
                inside = frame[top : max(bottom, top + 1), left : max(right, left + 1), one.word]
                inside.clamp_(min=one.score)
        return cells.flatten(0, 1)

    def _rows(
        self,
        look: Float[Tensor, "cells width"],
        beliefs: Float[Tensor, "cells words"],
        things: Sequence[Thing],
    ) -> Float[Tensor, "rows width"]:
        look, beliefs, place = _merged(look, beliefs, self._tokens)
        weights, words = beliefs.topk(BELIEFS, dim=-1)
        seen = torch.cat([look, words.float(), weights, place], dim=-1)
        order = weights[:, 0].argsort(descending=True, stable=True)
        rows = torch.zeros(self._things, seen.shape[-1], device=seen.device)
        rows[:, -CODE:] = pack(things, self._things).to(seen.device)
        return torch.cat([rows, seen[order]])


def _merged(
    look: Float[Tensor, "cells width"], beliefs: Float[Tensor, "cells words"], keep: int
) -> tuple[Float[Tensor, "keep width"], Float[Tensor, "keep words"], Float[Tensor, "keep 4"]]:
    """Merge look-alike tokens; what they are believed to be and where they are goes along.

    The four numbers of a place: from the left, from the top, share of the cells, when in the clip.
    """
    line = (torch.arange(GRID, device=look.device) + 0.5) / GRID
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    place = torch.stack([columns.flatten(), rows.flatten()], dim=-1).repeat(FRAMES, 1)
    when = torch.arange(FRAMES, device=look.device).repeat_interleave(GRID * GRID)[:, None] / FRAMES
    values = torch.cat([look, beliefs, place, when], dim=-1)[None]
    sizes = torch.ones_like(values[..., :1])
    width = look.shape[-1]
    while (surplus := values.shape[1] - keep) > 0:
        plan = match(values[..., :width], merges=min(surplus, values.shape[1] // 2))
        totals, sizes = plan.sum(values * sizes), plan.sum(sizes)
        values = totals / sizes
    merged, words = values[0, :, :width], values[0, :, width : width + beliefs.shape[-1]]
    place, when = values[0, :, -3:-1], values[0, :, -1:]
    return merged, words, torch.cat([place, sizes[0] / len(look), when], dim=-1)


def _colour(pixels: UInt8[np.ndarray, "height width 3"], box: Sequence[float]) -> int | None:
    height, width = pixels.shape[:2]
    left, top, right, bottom = box
    inside = pixels[
        int(top * height) : int(bottom * height), int(left * width) : int(right * width)
    ]
    return colour_of(inside) if inside.size else None
