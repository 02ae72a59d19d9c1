"""Opens a video file, or says in a sentence why it is not one."""

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from stream.address.printable import printable
from stream.errors import BadSource, NoVideo
from stream.file.container import open_input
from stream.file.first_bytes import file_format
from stream.file.joined import SOUGHT_IN_PARTS, left_out, open_joined
from stream.file.tracks import choose_video, is_decodable

BROADCAST = {"merge_pmt_versions": "1", "resync_size": str(64 * 1024 * 1024)}
"""How FFmpeg reads a broadcast: tracks under other numbers are the same ones, and behind a gap it goes on.

A recorder that loses its power leaves megabytes of nothing; FFmpeg by itself ends behind 64 KiB of them.
"""
_STANDARD_INPUT = "-"
_NO_FILE = {stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK}


def _nothing() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class OpenFilm:
    """A film that is open.

    Attributes:
        container: That holds it.
        video: What to watch of it.
        close: Lets go of everything.
        sought: Whether a time is a place in it; in a joined file it may be several.
        left_out: Says what is not read of it, once it was read, in a sentence; nothing if all is.
    """

    container: InputContainer
    video: VideoStream
    close: Callable[[], None]
    sought: bool = True
    left_out: Callable[[], str] = _nothing


class Film(Protocol):
    """A video with an end, which can be opened again and again; as text it is its name for people."""

    def open(self) -> OpenFilm:
        """Open it at its beginning. Blocks.

        Raises:
            NoVideo: If it cannot be read or holds no video.
        """
        ...


class LocalFilm:
    """A file of this machine.

    Args:
        path: Of any format FFmpeg reads.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return printable(str(self._path))

    def open(self) -> OpenFilm:
        """Open it at its beginning. Blocks.

        Raises:
            NoVideo: If it cannot be read or holds no video.
        """
        container, video = open_film(self._path)
        whole = container.format.name not in SOUGHT_IN_PARTS or open_joined(self._path) is None
        unread = left_out(self._path)
        return OpenFilm(container, video, container.close, sought=whole, left_out=lambda: unread)


def film_of(film: Path | Film) -> Film:
    """Return the film at a path of this machine; a film is one already."""
    return LocalFilm(film) if isinstance(film, Path) else film


def open_film(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open `path` and choose its video; the caller closes the container. Blocks.

    Raises:
        NoVideo: If it cannot be read or holds no video.
    """
    size, name = _check(path), printable(str(path))
    try:
        container = open_container(path)
    except BadSource as error:
        raise NoVideo(f"{name} cannot be read: {error}") from error
    except PermissionError as error:
        raise NoVideo(f"{name} cannot be read: you have no permission.") from error
    except (av.FFmpegError, OSError) as error:
        why = "it is damaged, cut short, or something else" if size else "it is empty"
        raise NoVideo(f"{name} cannot be read as a video: {why}.") from error
    video = choose_video(container)
    if video is None:
        container.close()
        raise NoVideo(f"{name} holds no video.")
    if not is_decodable(video):
        container.close()
        raise NoVideo(f"{name} cannot be read: this machine's FFmpeg has no decoder for its video.")
    return container, video


def open_container(
    path: Path, options: dict[str, str] | None = None, timeout: tuple[float, float] | None = None
) -> InputContainer:
    """Open a file of any name, all of its parts if it was joined.

    Raises:
        BadSource: If it is a document.
        FFmpegError: If it is nothing that FFmpeg can read.
        OSError: If it cannot be opened.
    """
    if (joined := open_joined(path)) is not None:
        return joined.open(BROADCAST | (options or {}), timeout)
    kind, more = file_format(path)
    # With its scheme: a name such as `12:30.mp4` would be taken for another one.
    url = f"file:{path}"
    return open_input(url, kind, BROADCAST | (options or {}) | more, timeout=timeout)


def is_whole(container: InputContainer) -> bool:
    """Say whether all of a file is there: a playlist without an end may grow."""
    return container.format.name != "hls" or container.duration is not None


def _check(path: Path) -> int:
    """Return the size of the file.

    Raises:
        NoVideo: If there is none, or something else that is waited for in vain.
    """
    name = printable(str(path))
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        said = f"There is no file called {name}."
        if name == _STANDARD_INPUT:
            said = "Standard input is not read: write the video to a file first."
        raise NoVideo(said) from error
    except OSError as error:
        raise NoVideo(f"{name} cannot be read: {error.strerror}.") from error
    if stat.S_ISDIR(found.st_mode):
        raise NoVideo(f"{name} is a folder: name a file in it.")
    if stat.S_ISFIFO(found.st_mode):
        raise NoVideo(f"{name} is a pipe: write the video to a file first.")
    if stat.S_IFMT(found.st_mode) in _NO_FILE:
        raise NoVideo(f"{name} is a device or a socket, not a file.")
    return found.st_size
