"""The spans of a clip: encoded, then stored, which lasts until memory holds it.

An engine is not told whose clip it encodes, and is told of what memory holds by stream and times: so a
clip is known by its tokens first, then by its stream and times. What is lost in between, or was never
to be remembered, such as a picture sent with a question, ends without `store`.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry.trace import Span

from model.types import ClipTokens, Encoded
from web.operations.traces.pen import Pen, note_error

_UNDER_WAY = 256
"""Clips of which it is open what becomes of them; beyond it the oldest end as they are."""


@dataclass(frozen=True, slots=True, eq=False)
class _TracedClip:
    """A clip from when it was encoded, in Unix nanoseconds; it holds its tokens, so that no others have their id."""

    span: Span
    tokens: ClipTokens
    at: int


class ClipSpans:
    """Writes the spans of clips, of any streams at once.

    Args:
        pen: Writes them.
    """

    def __init__(self, pen: Pen) -> None:
        self._pen = pen
        self._under_way: OrderedDict[Hashable, _TracedClip] = OrderedDict()

    @contextmanager
    def encoding(self, encoder: str, frames: int) -> Iterator[list[Encoded]]:
        """Follow a clip from its arrival at the engine until it is encoded, and put into the list."""
        span = self._pen.begin("clip", attributes={"flashback.frames": frames})
        stage = self._pen.begin("encode", span, attributes={"gen_ai.request.model": encoder})
        made: list[Encoded] = []
        try:
            yield made
        except BaseException as error:
            note_error(stage, error)
            note_error(span, error)
            raise
        finally:
            now = self._pen.now()
            stage.end(now)
            if made:
                self._keep(id(made[0].tokens), _TracedClip(span, made[0].tokens, now))
            else:
                span.end(now)

    def name(self, stream: str, tokens: ClipTokens) -> None:
        """Note that a clip just encoded is of `stream`, which will have it remembered."""
        clip = self._under_way.pop(id(tokens), None)
        if clip is not None:
            clip.span.set_attribute("flashback.stream", stream)
            self._keep((stream, tokens.start, tokens.end), clip)

    def stored(self, stream: str, kept: ClipTokens) -> None:
        """Note that memory holds a clip of `stream`."""
        clip = self._under_way.pop((stream, kept.start, kept.end), None)
        if clip is not None:
            now = self._pen.now()
            self._pen.stage("store", clip.span, clip.at, now)
            clip.span.end(now)

    def close(self) -> None:
        """End what is under way, as it is."""
        while self._under_way:
            self._end_oldest()

    def _keep(self, key: Hashable, clip: _TracedClip) -> None:
        while len(self._under_way) >= _UNDER_WAY:
            self._end_oldest()
        self._under_way[key] = clip

    def _end_oldest(self) -> None:
        _, clip = self._under_way.popitem(last=False)
        clip.span.end(clip.at)
