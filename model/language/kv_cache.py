"""Tensors that grow at one end without ever moving: the caches of a history and of an answer.

Rows are appended into blocks of fixed room. A block is allocated once and never copied, so what
a reader holds stays valid while more is appended: an answer being written does not notice that
its stream goes on.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from model.language.attention import attend

_FIRST, _LARGEST = 256, 8192
"""Rows of the first block and of the largest: small streams stay small, long ones in few blocks."""
_LARGEST_ON_GPU = 32_768
"""There a block costs a start of several kernels, in every layer: fewer and larger ones."""


class Blocks:
    """Rows of equal shape, appended and read, never changed; the last may be taken away.

    Attributes:
        length: Rows there are.
        bytes: Memory held, rows not yet used included.
    """

    def __init__(self) -> None:
        self.length = 0
        self._blocks: list[Tensor] = []
        self._starts: list[int] = []

    @property
    def bytes(self) -> int:
        """Memory held, in bytes."""
        return sum(block.nbytes for block in self._blocks)

    def append(self, rows: Shaped[Tensor, "*lead n width"]) -> None:
        """Add `rows` after those there are."""
        while rows.shape[-2] > 0:
            if not self._blocks or self.length == self._end:
                self._grow(rows)
            room = self._end - self.length
            taken, rows = rows[..., :room, :], rows[..., room:, :]
            begin = self.length - self._starts[-1]
            self._blocks[-1][..., begin : begin + taken.shape[-2], :] = taken
            self.length += taken.shape[-2]

    def cut(self, length: int) -> None:
        """Take the rows after the first `length` away again."""
        self.length = length
        while self._starts and self._starts[-1] >= length:
            self._starts.pop()
            self._blocks.pop()

    def slices(self, start: int, stop: int) -> Iterator[Shaped[Tensor, "*lead n width"]]:
        """Yield rows `start` up to `stop`, block by block, without copying them."""
        for begin, block in zip(self._starts, self._blocks, strict=True):
            first, last = max(start - begin, 0), min(stop - begin, block.shape[-2])
            if first < last:
                yield block[..., first:last, :]

    def rows(self, start: int, stop: int) -> Shaped[Tensor, "*lead n width"]:
        """Return rows `start` up to `stop` as one tensor; copies where they span blocks."""
        return torch.cat(list(self.slices(start, stop)), dim=-2)

    def pick(self, index: Int64[Tensor, " n"]) -> Shaped[Tensor, "n width"]:
        """Return the rows at the ascending positions `index`."""
        # Where each block begins in `index`, asked of the device once.
        starts = torch.tensor(self._starts, device=index.device)
        borders = [*torch.searchsorted(index, starts).tolist(), len(index)]
        inside = (index[first:stop] for first, stop in pairwise(borders))
        parts = zip(self._starts, self._blocks, inside, strict=True)
        return torch.cat([block[..., rows - begin, :] for begin, block, rows in parts], dim=-2)

    @property
    def _end(self) -> int:
        return self._starts[-1] + self._blocks[-1].shape[-2]

    def _grow(self, rows: Tensor) -> None:
        largest = _LARGEST_ON_GPU if rows.is_cuda else _LARGEST
        room = min(max(_FIRST, self.length), largest)
        self._starts.append(self.length)
        self._blocks.append(rows.new_empty((*rows.shape[:-2], room, rows.shape[-1])))


Span = tuple[int, int]
"""Rows from the first number up to the second."""


class KeyValues:
    """Keys and values of one layer, perhaps on top of spans of another that it only reads.

    Args:
        below: A cache to read from, and the rows of it that are visible. It may grow meanwhile.
    """

    def __init__(self, below: tuple["KeyValues", Sequence[Span]] | None = None) -> None:
        self._below = below
        self._keys, self._values = Blocks(), Blocks()

    @property
    def length(self) -> int:
        """Rows of its own."""
        return self._keys.length

    @property
    def bytes(self) -> int:
        """Memory of its own, in bytes."""
        return self._keys.bytes + self._values.bytes

    def attend(
        self,
        queries: Float[Tensor, "heads asking dim"],
        keys: Float[Tensor, "kv_heads n dim"],
        values: Float[Tensor, "kv_heads n dim"],
    ) -> Float[Tensor, "heads asking dim"]:
        """Return attention of new tokens over everything visible, and keep their keys and values.

        Args:
            queries: Of the new tokens, or of the last of them.
            keys: Of all new tokens.
            values: Of all new tokens.
        """
        out = attend(queries, list(self._visible()), keys, values)
        self.append(keys, values)
        return out

    def append(
        self, keys: Float[Tensor, "kv_heads n dim"], values: Float[Tensor, "kv_heads n dim"]
    ) -> None:
        """Keep the keys and values of new tokens."""
        self._keys.append(keys)
        self._values.append(values)

    def cut(self, length: int) -> None:
        """Take its own rows after the first `length` away again."""
        self._keys.cut(length)
        self._values.cut(length)

    def pairs(
        self, spans: Sequence[Span]
    ) -> Iterator[tuple[Float[Tensor, "kv_heads n dim"], Float[Tensor, "kv_heads n dim"]]]:
        """Yield its own keys and values of `spans`, block by block."""
        for start, stop in spans:
            yield from zip(
                self._keys.slices(start, stop), self._values.slices(start, stop), strict=True
            )

    def _visible(
        self,
    ) -> Iterator[tuple[Float[Tensor, "kv_heads n dim"], Float[Tensor, "kv_heads n dim"]]]:
        if self._below is not None:
            cache, spans = self._below
            yield from cache.pairs(spans)
        yield from self.pairs([(0, self.length)])
