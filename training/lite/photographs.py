"""Photographs: examples of what is not drawn."""

from pathlib import Path

from PIL import Image


def photographs(folder: Path) -> list[Path]:
    """Return the pictures below `folder`.

    Raises:
        FileNotFoundError: If there is none.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not paths:
        raise FileNotFoundError(2, "there are no .jpg or .png pictures here", str(folder))
    return paths


def shrunken(path: Path, side: int) -> Image.Image:
    """Return a photograph in colour, made smaller where it is larger than `side` pixels."""
    with Image.open(path) as picture:
        picture.draft("RGB", (side, side))
        small = picture.convert("RGB")
        small.thumbnail((side, side))
    return small
