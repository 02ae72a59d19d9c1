"""What opening a source yields, whatever way it was opened."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from av.container import InputContainer

from stream.pull.messages import Place

if TYPE_CHECKING:
    from stream.pull.io.http.file import Appetite
    from stream.pull.io.http.snapshots import Snapshots

# What a live source says of itself must do: measuring its rate would take seconds.
QUICK = {
    "analyzeduration": "2000000",
    "probesize": "1000000",
    "fpsprobesize": "0",
}


def _never() -> bool:
    return False


def _nowhere() -> Place | None:
    return None


def _nothing() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Opening:
    """A container that is open, and what is known of its end.

    Attributes:
        container: To read from.
        finite: Whether it has an end: all of it is there already.
        has_ended: Says, once nothing more comes, whether that was the end, and not a loss.
        lasts: Seconds from its beginning to its end, of what a server plays in real time and says that
            of: read so far, it is at its end whatever closed the connection.
        place: Says how far a playlist was read.
        snapshots: Where pictures come from if each must be asked for; None if they come.
        appetite: Bounds what is read without a picture coming of it; None where FFmpeg reads by itself.
        left_out: Says what is not read of it, once it was read, in a sentence; nothing if all is.
    """

    container: InputContainer
    finite: bool = False
    has_ended: Callable[[], bool] = _never
    lasts: float | None = None
    place: Callable[[], Place | None] = _nowhere
    snapshots: "Snapshots | None" = None
    appetite: "Appetite | None" = None
    left_out: Callable[[], str] = _nothing
