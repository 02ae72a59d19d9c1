"""Drawings of everyday things, from several openly licensed emoji sets, rendered once.

A network that learns to name things from one set of drawings learns the set. Several sets teach
the thing; one more set, which nothing is trained on, shows whether that worked.

The sets come from the npm registry as Iconify packages (https://iconify.design), pinned by version
and SHA-512. NOTICE names their authors and licences.
"""

import base64
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.errors import Missing
from web.settings import read_settings

Sprite = npt.NDArray[np.uint8]
Sprites = Mapping[str, Mapping[str, tuple[Sprite, ...]]]
SPRITE_SIZE = 160


@dataclass(frozen=True, slots=True)
class DrawingSet:
    """One published set of drawings.

    Attributes:
        name: Its name as an `@iconify-json` package.
        version: The package's exact version.
        sha512: What the package's archive must hash to, in base64.
        licence: SPDX name of the licence of the drawings.
        also: What things are called in this set alone.
        paint: The one colour that the set is drawn in, as it stands in the SVG; it is drawn in others.
    """

    name: str
    version: str
    sha512: str
    licence: str
    also: Mapping[str, str] = field(default_factory=dict, hash=False)
    paint: str | None = None


TRAINING_SETS = (
    DrawingSet("noto", "1.2.9", "DQiuXENbun41ch+XPSV55H9FaWKpHTyz46YIKtSaKYD4fIDDzL1tR6H4np/T38jfrTAeI3rcKF0mqHYeZVAuaw==", "Apache-2.0"),
    DrawingSet("noto-v1", "1.2.5", "/DsVMius69Q0fRS53z7QK1TROSuar606jiIx+laXtdsYGMXpf6LtHBx6CGfoo3UHHb/XpBsw+1L1x3eyPqMuVA==", "Apache-2.0"),
    DrawingSet("fluent-emoji", "1.2.7", "D8G6bKAyIsyxP1rzZtIWr/gg/fO4Rg1+DyCWlfqKK4h8W+4Em/Y0P6QYgJUQTlUcagzJvSyg+9OBv4hz4Hc/QA==", "MIT"),
    DrawingSet("fluent-emoji-flat", "1.2.6", "RY47RgPb47fYUiyrA64sIOL0+UU02s29sXpNBbIQRBUlPlfNFTKUmZDERGuxDs/7yNGWqQYvuaSYM1M4fRXlUw==", "MIT"),
    DrawingSet("emojione", "1.2.3", "T9+T3HIbJNLKKsmxYKlaYhvnHYkz/HNYTV7SHCXVZPfeUi4FqskY70YeN8yYAZT8cCv7w5vJxS4Q1m8zb9CMMg==", "CC-BY-4.0"),
    DrawingSet("fxemoji", "1.2.2", "UAasRaxzFUKfIGSmLwnoarsssA4LX0VLLuEmplIqM6ZNQqIQRtav8tZ4H1neTlBreXuMQyAifr5jP4kn78DpiQ==", "Apache-2.0"),
    DrawingSet("streamline-emojis", "1.2.4", "iNr9T9XuZVTyQPJO8ZlLxBzPkpi7qMl+z1l0C31vpEMqhPMelth3n7CeWQYtixdetDPdI81yeG4ROqjWpYJE6A==", "CC-BY-4.0"),
)  # fmt: skip
WIDE_SETS = (
    DrawingSet("icon-park", "1.2.4", "S8fVl49LG/M9hvwb7ruFGInK21AHMv3IJehOJRJgXPLE39OOCP3wbfTWjro/XzsjxRwdvX/lYdGetFOZI0TaJQ==", "Apache-2.0", {
        "apple": "apple-one", "cherries": "cherry", "car": "car", "bicycle": "bike", "gift": "gift gift-box",
        "balloon": "party-balloon", "house": "home home-two", "bee": "bee", "anchor": "", "train": "train",
    }, "#2F88FF"),
    DrawingSet("game-icons", "1.2.4", "/HDDZxowXgDJcOEwPspUCq5RuDdl25OyZKdtxqqiPJQNTrWIym7r4StLzIVs77DyNzOWWhH5wDqwYR3WHeDfkg==", "CC-BY-3.0", {
        "dog": "sitting-dog basset-hound-head", "cat": "cat hollow-cat", "horse": "horse-head",
        "pig": "pig", "elephant": "elephant elephant-head", "rabbit": "rabbit rabbit-head",
        "tiger": "tiger-head", "fish": "clownfish flatfish tropical-fish", "whale": "sperm-whale",
        "bee": "bee", "spider": "hanging-spider long-legged-spider spider-alt", "apple": "shiny-apple",
        "cherries": "cherry", "corn": "corn", "pizza": "pizza-slice full-pizza", "donut": "donut",
        "cake": "cake-slice stairs-cake", "car": "city-car race-car", "tractor": "farm-tractor",
        "train": "steam-locomotive", "bell": "ringing-bell", "hammer": "flat-hammer claw-hammer",
        "camera": "photo-camera", "tent": "camping-tent", "robot": "vintage-robot", "gift": "present",
        "candle": "candle-light candle-flame", "glasses": "sunglasses spectacles", "ladybug": "ladybug",
    }, "currentColor"),
    DrawingSet("fluent-emoji-high-contrast", "1.2.6", "esqhZPpkrF7sNX3NsLoh8KW64okEr/bzko7WNnFP+qTJGAqDPDYjp0925yxuivXy3HtVQB8xhIKu3+Nq1byX5w==", "MIT", {}, "currentColor"),
)  # fmt: skip
"""Of these the encoder has seen nothing either; heads are trained on them too."""
TUNING_SET = DrawingSet("openmoji", "1.2.29", "vXdhkqcXVSO6suy+m9LbcUM3OdVyuNOtpV8/als/WqfkQIRxevL5Geb/g+6GH/Qwnq1OqksEmaDGTCmZ5nFKJQ==", "CC-BY-SA-4.0")  # fmt: skip
"""Thresholds are chosen on it, nothing is trained on it: what that would oblige weights to is not settled."""
HELD_OUT_SET = DrawingSet("twemoji", "1.2.5", "uKpuIEV0v6K5BW3Mjdyl+XKFVAbbcPxAgifKvEMtZoUZB5+YiY5zaMm2uNNCxyXzAWU9yNLlj41WU6/mvgALsw==", "CC-BY-4.0")  # fmt: skip

# What each thing is called in one set or another.
THINGS: dict[str, tuple[str, ...]] = {
    name: tuple(others.split()) or (name,)
    for name, others in {
        "dog": "dog dog-face dogside", "cat": "cat cat-face catside",
        "horse": "horse horse-face horseface", "cow": "cow cow-face cowface",
        "pig": "pig pig-face pigside", "elephant": "", "monkey": "monkey monkey-face monkeyface",
        "rabbit": "rabbit rabbit-face bunny bunnyside", "tiger": "tiger tiger-face tigerside",
        "panda": "panda panda-face pandaface", "frog": "frog frog-face",
        "penguin": "penguin penguin-1 penguin-2", "owl": "", "duck": "",
        "fish": "fish tropical-fish tropicalfish", "whale": "whale spouting-whale spurtingwhale",
        "octopus": "", "crab": "", "snail": "", "butterfly": "", "bee": "honeybee", "spider": "",
        "snake": "", "turtle": "", "camel": "camel two-hump-camel bactriancamel dromedarycamel",
        "ladybug": "lady-beetle ladybeetle", "apple": "red-apple redapple", "banana": "",
        "grapes": "", "cherries": "", "strawberry": "strawberry strawberry-1 strawberry-2",
        "pineapple": "", "watermelon": "watermelon watermelon-1 watermelon-2", "lemon": "",
        "carrot": "", "corn": "ear-of-corn earofmaize", "mushroom": "",
        "pizza": "pizza pizza-1 pizza-2 sliceofpizza",
        "hamburger": "hamburger hamburger-1 hamburger-2 hamburger-3",
        "donut": "doughnut doughnut-1 doughnut-2",
        "cake": "birthday-cake birthday-cake-1 birthday-cake-2 birthday-cake-3 birthdaycake",
        "car": "automobile", "bus": "bus oncoming-bus oncomingbus", "bicycle": "", "airplane": "",
        "helicopter": "", "rocket": "", "sailboat": "", "tractor": "",
        "train": "locomotive steamlocomotive", "guitar": "", "drum": "", "bell": "",
        "balloon": "", "umbrella": "umbrella umbrella-with-rain-drops umbrellawithraindrops",
        "key": "key old-key oldkey", "hammer": "", "scissors": "scissors blackscissors",
        "camera": "camera camera-with-flash camerawithflash", "clock": "alarm-clock alarmclock",
        "crown": "", "anchor": "", "house": "house house-with-garden housebuilding housewithgarden",
        "tent": "", "castle": "castle europeancastle", "cactus": "cactus cactus-1 cactus-2",
        "rose": "", "sunflower": "sunflower sunflower-1 sunflower-2",
        "snowman": "snowman snowman-without-snow snowmanwithoutsnow", "ghost": "",
        "robot": "robot robot-face-1 robot-face-2 robot-face-3",
        "gift": "wrapped-gift wrapped-gift-1 wrapped-gift-2", "candle": "",
        "glasses": "glasses glasses-1 glasses-2", "rainbow": "", "fire": "",
    }.items()
}  # fmt: skip

_PAINTS = ("#c0392b", "#2e6fb5", "#3a9a4b", "#e0a020", "#7b4bb0", "#f2f2f2", "#222222")
_PAINTED = 3
"""In so many of those colours a drawing of one colour is drawn."""


def cache_folder() -> Path:
    """Return the folder of everything that is kept between runs, as the service's settings say."""
    return read_settings().cache.expanduser()


def load_sprites(
    sets: tuple[DrawingSet, ...],
    folder: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, dict[str, tuple[Sprite, ...]]]:
    """Return every thing's pictures (RGBA, 160 on the longer side), by set and by thing.

    Renders what the cache lacks, which takes some seconds a set.

    Raises:
        Missing: If a set must be fetched and cannot be.
    """
    folder = folder or cache_folder() / "drawings"
    folder.mkdir(parents=True, exist_ok=True)
    loaded = {}
    for drawing_set in sets:
        rendered = folder / f"{drawing_set.name}-{drawing_set.version}-{SPRITE_SIZE}.npz"
        if not rendered.exists():
            progress(f"rendering the drawings of {drawing_set.name}")
            icons = read_icons(fetch(drawing_set, folder))
            _save(rendered, render_things(icons, drawing_set.also, drawing_set.paint))
        loaded[drawing_set.name] = _load(rendered)
    return loaded


def fetch(drawing_set: DrawingSet, folder: Path) -> Path:
    """Return the set's package archive, fetched by npm unless it is in `folder`.

    Raises:
        Missing: If npm is absent, fails, or hands over something else than what is pinned.
    """
    archive = folder / f"iconify-json-{drawing_set.name}-{drawing_set.version}.tgz"
    if not archive.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise Missing(
                "the drawings are npm packages and npm is not installed: install Node.js, or put "
                f"{archive.name} into {folder}"
            )
        package = f"@iconify-json/{drawing_set.name}@{drawing_set.version}"
        done = subprocess.run(  # noqa: S603 - a fixed command with pinned arguments
            [npm, "pack", "--silent", package],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or not archive.exists():
            raise Missing(f"npm could not fetch {package}: {done.stderr.strip()[-400:]}")
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != drawing_set.sha512:
        raise Missing(f"{archive} is not the pinned package (its SHA-512 is {digest}): delete it")
    return archive


def read_icons(archive: Path) -> dict[str, str]:
    """Return every drawing of a package as SVG text, by name; other names of a drawing included."""
    with tarfile.open(archive) as package:
        member = package.extractfile("package/icons.json")
        assert member is not None
        content: dict[str, Any] = json.load(member)
    icons = {name: _svg(icon, content) for name, icon in content["icons"].items()}
    for name, alias in content.get("aliases", {}).items():
        if alias["parent"] in icons and len(alias) == 1:  # longer ones turn or flip their parent
            icons[name] = icons[alias["parent"]]
    return icons


def render_things(
    icons: Mapping[str, str], also: Mapping[str, str], paint: str | None
) -> dict[str, tuple[Sprite, ...]]:
    """Render the drawings of each known thing, cut to what is visible; a picture twice counts once."""
    things = {}
    for number, (thing, usual) in enumerate(THINGS.items()):
        names = also[thing].split() if thing in also else usual
        texts = dict.fromkeys(icons[name] for name in names if name in icons)
        if texts:
            things[thing] = tuple(render(one) for text in texts for one in _painted(text, paint, number))  # fmt: skip
    return things


def _painted(svg: str, paint: str | None, number: int) -> list[str]:
    if paint is None:
        return [svg]
    return [svg.replace(paint, _PAINTS[(number + n * 2) % len(_PAINTS)]) for n in range(_PAINTED)]


def render(svg: str) -> Sprite:
    """Return one drawing as RGBA, cut to what is visible, 160 on its longer side."""
    from resvg_py import svg_to_bytes  # an optional dependency: only training draws

    picture = Image.open(io.BytesIO(bytes(svg_to_bytes(svg_string=svg)))).convert("RGBA")
    box = picture.getchannel("A").point(lambda alpha: 255 if alpha > 8 else 0).getbbox()
    picture = picture.crop(box)
    scale = SPRITE_SIZE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS))


def _svg(icon: dict[str, Any], content: dict[str, Any]) -> str:
    width = icon.get("width", content.get("width", 16))
    height = icon.get("height", content.get("height", 16))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width} {height}" width="256" height="{256 * height / width:.0f}">{icon["body"]}</svg>'
    )


def _save(path: Path, things: Mapping[str, tuple[Sprite, ...]]) -> None:
    arrays = {
        f"{thing}/{n}": sprite for thing, all_ in things.items() for n, sprite in enumerate(all_)
    }
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    Path(file.name).replace(path)


def _load(path: Path) -> dict[str, tuple[Sprite, ...]]:
    things: dict[str, list[Sprite]] = {}
    with np.load(path) as arrays:
        for key in arrays.files:
            things.setdefault(key.split("/")[0], []).append(arrays[key])
    return {thing: tuple(sprites) for thing, sprites in things.items()}
