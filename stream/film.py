"""Opens a video file, or says in a sentence why it is none."""

from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream


class NoVideo(Exception):
    """The source holds no video that can be read; the message names it."""


def open_film(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open `path` and pick its first video; the caller closes the container. Blocks.

    A picture attached to a song is no video.

    Raises:
        NoVideo: If it cannot be read or holds no video.
    """
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise NoVideo(f"{path} cannot be read as a video.") from error
    films = [film for film in container.streams.video if not _is_cover(film)]
    if not films:
        container.close()
        raise NoVideo(f"{path} holds no video.")
    return container, films[0]


def _is_cover(film: VideoStream) -> bool:
    return bool(film.disposition & Disposition.attached_pic)
