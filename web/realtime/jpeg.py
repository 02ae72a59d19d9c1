"""Decodes single JPEG and PNG pictures, which are hostile until decoded.

A progressive JPEG may have thousands of empty scans, each of which walks over the whole picture
again; one of 200 bytes may claim a billion pixels. Both stand in its markers and are judged before
its pixels are made. The decoder scales down by itself, in threads of its own: what is slow here
holds up neither `/health` nor the lookup of a name.
https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B
"""

import asyncio
import io
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from stream.frames.frame import Picture
from stream.frames.scale import scaled_down
from stream.name_locks import NameLocks
from web.errors import BadValue

_LARGEST_SIDE = 4096
_MOST_SCANS = 32  # encoders make up to 10
_MOST_MARKERS = 1000
_THREADS = 2

_TOO_LARGE = f"A picture may have {_LARGEST_SIDE} pixels a side at most."
_JPEG = b"\xff\xd8"
_SCAN = b"\xff\xda"
# Inside a scan a byte 0xFF is followed by 0, by a restart (D0 to D7) or by a marker.
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")


class PictureDecoder:
    """Decodes pictures, one of a caller at a time.

    Args:
        side: Shorter side of the pictures it returns, in pixels; larger ones are scaled down.
    """

    def __init__(self, side: int) -> None:
        self._side = side
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="pictures")
        self._turn = NameLocks()

    async def decode(self, data: bytes, caller: str) -> Picture:
        """Return the RGB pixels of a picture; see `decode`.

        Raises:
            BadValue: If it cannot be used.
        """
        async with self._turn(caller):
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, decode, data, self._side
            )

    def close(self) -> None:
        """Take no further picture."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def decode(data: bytes, side: int) -> UInt8[np.ndarray, "height width 3"]:
    """Return the RGB pixels of a JPEG or PNG as it is to be shown, its shorter side at most `side`.

    Raises:
        BadValue: If it is neither, cut short, larger than 4096 pixels a side, or made to cost.
    """
    jpeg = data.startswith(_JPEG)
    if jpeg and data.count(_SCAN) > _MOST_SCANS:
        raise BadValue(f"A picture may have {_MOST_SCANS} scans at most.")
    if jpeg and sum(1 for _ in _MARKER.finditer(data)) > _MOST_MARKERS:
        raise BadValue(f"A picture may have {_MOST_MARKERS} markers at most.")
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as image:
            _check_size(image)
            size = scaled_down(*image.size, side)
            image.draft("RGB", size)
            picture = image.convert("RGB").resize(size, reducing_gap=2.0)
    except Image.DecompressionBombError:
        raise BadValue(_TOO_LARGE) from None
    except BadValue:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise BadValue("The picture is not a complete JPEG or PNG.") from None
    return np.asarray(ImageOps.exif_transpose(picture))


def _check_size(image: Image.Image) -> None:
    if max(image.size) > _LARGEST_SIDE:
        raise BadValue(_TOO_LARGE)
