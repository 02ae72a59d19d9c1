"""Opens a video file, or says in a sentence why it is none."""

import stat
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from stream.address.printable import printable
from stream.address.source_url import BadSource
from stream.errors import StreamError
from stream.file.first_bytes import file_format
from stream.file.joined import open_joined
from stream.file.tracks import choose_video, is_decodable


class NoVideo(StreamError):
    """The source holds no video that can be read; the message names it."""

    code = "no_video"


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
        kind = joined.format
        return av.open(joined.file, "r", format=kind, options=options, timeout=timeout)
    kind, more = file_format(path)
    # With its scheme: a name such as `12:30.mp4` would be taken for another one.
    url = f"file:{path}"
    return av.open(url, "r", format=kind, options=(options or {}) | more, timeout=timeout)


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
        raise NoVideo(f"There is no file called {name}.") from error
    except OSError as error:
        raise NoVideo(f"{name} cannot be read: {error.strerror}.") from error
    if stat.S_ISDIR(found.st_mode):
        raise NoVideo(f"{name} is a folder: name a file in it.")
    if stat.S_ISFIFO(found.st_mode):
        raise NoVideo(f"{name} is a pipe: write the video to a file first.")
    return found.st_size
