"""Parts of real films for the sample stream: cut, cropped, slowed, at the stream's size and rate.

A thing on a conveyor belt passes in little more than a second; slowed, with the frames between made
up from the motion around them, it can be looked at, and still moves smoothly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.filter import Graph

from training.drawn.backgrounds import Pixels
from training.errors import BadData

SMOOTHED_FROM = 1.5
"""Slowed by more than this, frames are made up; below, repeating some is not seen."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a film.

    Attributes:
        film: Its file name.
        start: Where the part begins, in seconds of the film.
        end: Where it ends.
        box: What of each frame is kept: left, top, width and height as shares of the frame.
    """

    film: str
    start: float
    end: float
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)


def frames(
    cut: Cut, folders: tuple[Path, ...], seconds: float, size: tuple[int, int], rate: int
) -> Iterator[Pixels]:
    """Yield the frames of `cut`, spread over `seconds` at `rate` frames a second.

    Args:
        cut: What to show.
        folders: Where the film may lie.
        seconds: How long it is to last.
        size: Width and height of a frame.
        rate: Frames a second.

    Raises:
        BadData: If there is no such film, or not so much of it.
    """
    path = next((f / cut.film for f in folders if (f / cut.film).is_file()), None)
    if path is None:
        raise BadData(f"{cut.film} is in none of {', '.join(map(str, folders))}")
    wanted, last = round(seconds * rate), None
    for picture in _filtered(path, cut, seconds, size, rate):
        last = picture
        yield picture
        wanted -= 1
        if wanted == 0:
            return
    # At the end of a film the filters keep back a last frame or two.
    if last is None or wanted > 2:
        raise BadData(f"{cut.film} does not reach from {cut.start} to {cut.end} s")
    yield from [last] * wanted


def _filtered(
    path: Path, cut: Cut, seconds: float, size: tuple[int, int], rate: int
) -> Iterator[Pixels]:
    with av.open(str(path)) as film:
        video = film.streams.video[0]
        graph = _graph(video, cut, seconds / (cut.end - cut.start), size, rate)
        for frame in film.decode(video):
            # On to the end of the film: to make frames up takes a few behind the last one wanted.
            if frame.time is not None and frame.time >= cut.start:
                graph.push(frame)
                yield from _pulled(graph)
        graph.push(None)
        yield from _pulled(graph)


def _graph(
    video: av.VideoStream, cut: Cut, slower: float, size: tuple[int, int], rate: int
) -> Graph:
    left, top, width, height = cut.box
    made_up = f"minterpolate=fps={rate}:mi_mode=mci:mc_mode=aobmc:vsbmc=1"
    steps = [
        ("crop", f"iw*{width}:ih*{height}:iw*{left}:ih*{top}"),
        ("setpts", f"(PTS-STARTPTS)*{slower}"),
        ("scale", f"{size[0]}:{size[1]}:flags=lanczos"),
        tuple(made_up.split("=", 1)) if slower > SMOOTHED_FROM else ("fps", str(rate)),
        ("format", "rgb24"),
    ]
    graph = Graph()
    nodes = [graph.add_buffer(template=video)]
    nodes += [graph.add(name, arguments) for name, arguments in steps]
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    return graph


def _pulled(graph: Graph) -> Iterator[Pixels]:
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return
        assert isinstance(frame, av.VideoFrame)
        yield frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
