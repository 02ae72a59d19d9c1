"""Opens a video file, or says in a sentence why it is none."""

import stat
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from stream.first_bytes import file_format
from stream.source_url import BadSource


class NoVideo(Exception):
    """The source holds no video that can be read; the message names it."""


def open_film(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open `path` and pick its first video; the caller closes the container. Blocks.

    A picture attached to a song is no video.

    Raises:
        NoVideo: If it cannot be read or holds no video.
    """
    size = _check(path)
    try:
        kind, options = file_format(path)
        # With its scheme: a name such as `12:30.mp4` would be taken for another one.
        container = av.open(f"file:{path}", format=kind, options=options)
    except BadSource as error:
        raise NoVideo(f"{path} cannot be read: {error}") from error
    except PermissionError as error:
        raise NoVideo(f"{path} cannot be read: you have no permission.") from error
    except (av.FFmpegError, OSError) as error:
        why = "it is damaged, cut short, or something else" if size else "it is empty"
        raise NoVideo(f"{path} cannot be read as a video: {why}.") from error
    films = [film for film in container.streams.video if not _is_cover(film)]
    if not films:
        container.close()
        raise NoVideo(f"{path} holds no video.")
    if films[0].codec_context is None:  # whatever its type says
        container.close()
        raise NoVideo(f"{path} cannot be read: this machine's FFmpeg has no decoder for its video.")
    return container, films[0]


def _check(path: Path) -> int:
    """Return the size of the file.

    Raises:
        NoVideo: If there is none, or something else that is waited for in vain.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoVideo(f"There is no file called {path}.") from error
    except OSError as error:
        raise NoVideo(f"{path} cannot be read: {error.strerror}.") from error
    if stat.S_ISDIR(found.st_mode):
        raise NoVideo(f"{path} is a folder: name a file in it.")
    if stat.S_ISFIFO(found.st_mode):
        raise NoVideo(f"{path} is a pipe: write the video to a file first.")
    return found.st_size


def _is_cover(film: VideoStream) -> bool:
    return bool(film.disposition & Disposition.attached_pic)
