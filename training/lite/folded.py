"""Made-up streams whose older half is folded, as that of a long stream is when it is served."""

from itertools import groupby

import numpy as np
import torch

from model.folding.fold import Block, Joining
from model.folding.thing_rows import ThingRows
from model.types import ClipTokens
from model.vision.things import SURE, Thing, unpack
from model.vision.things import pack as pack_things
from model.vision.word_projector import BELIEFS
from training.streams.world import WorldScene, WorldStream

_THINGS = 8
_ROWS = ThingRows(_THINGS, 0, BELIEFS)


def folded(stream: WorldStream, random: np.random.Generator) -> WorldStream:
    """Return `stream` as it reads once its older clips are joined; the newest stay as they are.

    Neighbouring blocks with the same main thing are one scene of it: whoever reads cannot know better.
    """
    newest = int(random.integers(1, max(2, len(stream.seen) // 3)))
    older = [_block(stream, n) for n in range(len(stream.seen) - newest)]
    if len(older) < 2:
        return stream
    joining = Joining(older, int(random.integers(1, len(older))), _ROWS)
    while not joining.done:
        joining.step()
    blocks = [*joining.blocks, *(_block(stream, n) for n in range(len(older), len(stream.seen)))]
    seen = tuple(tuple(unpack(block.tokens.values[:_THINGS])) for block in blocks)
    starts = tuple(block.tokens.start for block in blocks)
    scenes = []
    for _, group in groupby(range(len(seen)), key=lambda n: _main(seen[n])):
        clips = list(group)
        things = max((seen[n] for n in clips), key=len)
        scenes.append(WorldScene(things, range(clips[0], clips[-1] + 1), round(starts[clips[0]])))
    ends = tuple(block.tokens.end for block in blocks)
    return WorldStream(tuple(scenes), seen, starts, ends, stream.finished)


def _block(stream: WorldStream, number: int) -> Block:
    named = pack_things(stream.seen[number], _THINGS)
    values = torch.cat(
        [named, torch.zeros(1, named.shape[1])]
    )  # one visual token, that says nothing
    tokens = ClipTokens(values, stream.starts[number], stream.ends[number])
    return Block(tokens, np.ones(len(values)), 1, _ROWS.outline(values))


def _main(things: tuple[Thing, ...]) -> int | None:
    return next((thing.word for thing in things if thing.sure >= SURE), None)
