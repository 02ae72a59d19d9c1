"""A clip's picture for people: a small JPEG of its middle frame."""

from io import BytesIO

from PIL import Image

from model.types import Clip

_QUALITY = 70


def thumbnail(clip: Clip, width: int) -> bytes:
    """Return the middle frame of `clip` as JPEG, `width` pixels wide or as wide as it is."""
    pixels = clip.pixels[len(clip.pixels) // 2].numpy()
    picture = Image.fromarray(pixels)
    picture.thumbnail((width, width * 4), Image.Resampling.BILINEAR)
    out = BytesIO()
    picture.save(out, format="JPEG", quality=_QUALITY)
    return out.getvalue()
