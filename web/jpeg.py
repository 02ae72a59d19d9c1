"""Decodes single JPEG pictures, which are hostile until decoded.

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

from stream.feed import Picture
from stream.name_locks import NameLocks
from stream.scale import scaled_down

LARGEST_SIDE = 4096
MOST_SCANS = 32  # encoders make up to 10
MOST_MARKERS = 1000
THREADS = 2

TOO_LARGE = f"A picture may have {LARGEST_SIDE} pixels a side at most."
SCAN = b"\xff\xda"
# Inside a scan a byte 0xFF is followed by 0, by a restart (D0 to D7) or by a marker.
MARKER = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")


class BadPicture(ValueError):
    """The picture cannot be used; the message says why."""


class PictureDecoder:
    """Decodes pictures, one of a caller at a time.

    Args:
        side: Shorter side of the pictures it returns, in pixels; larger ones are scaled down.
    """

    def __init__(self, side: int) -> None:
        self._side = side
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="pictures")
        self._turn = NameLocks()

    async def decode(self, data: bytes, caller: str) -> Picture:
        """Return the RGB pixels of a JPEG; see `decode`.

        Raises:
            BadPicture: If it cannot be used.
        """
        async with self._turn(caller):
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, decode, data, self._side
            )

    def close(self) -> None:
        """Take no further picture."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def decode(data: bytes, side: int) -> UInt8[np.ndarray, "height width 3"]:
    """Return the RGB pixels of a JPEG as it is to be shown, its shorter side at most `side`.

    Raises:
        BadPicture: If it is no JPEG, cut short, larger than 4096 pixels a side, or made to cost.
    """
    if data.count(SCAN) > MOST_SCANS:
        raise BadPicture(f"A picture may have {MOST_SCANS} scans at most.")
    if sum(1 for _ in MARKER.finditer(data)) > MOST_MARKERS:
        raise BadPicture(f"A picture may have {MOST_MARKERS} markers at most.")
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            if max(image.size) > LARGEST_SIDE:
                raise BadPicture(TOO_LARGE)
            size = scaled_down(*image.size, side)
            image.draft("RGB", size)
            picture = image.convert("RGB").resize(size, reducing_gap=2.0)
    except Image.DecompressionBombError:
        raise BadPicture(TOO_LARGE) from None
    except (UnidentifiedImageError, OSError, SyntaxError):
        raise BadPicture("The picture is not a complete JPEG.") from None
    return np.asarray(ImageOps.exif_transpose(picture))
