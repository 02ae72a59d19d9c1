"""Rules about the shape of the code rather than what it does."""

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

OURS = "flashback"
ROOT = Path(__file__).parents[1]
MAP = (ROOT / "docs" / "architecture.md").read_text()
NAMED = re.compile(r"`([\w/]+\.py)`(?:\s\(((?:`[\w.]+`(?:,\s)?)+)\))?")
"""A file, and names in it in brackets."""


def on_the_map(text):
    return [(file, re.findall(r"[\w.]+", names)) for file, names in NAMED.findall(text)]


def test_no_dependency_ships_a_package_with_our_names():
    owners = packages_distributions()
    clashes = {
        name: other
        for name in ("stream", "model", "memory", "web")
        if (other := set(owners.get(name, ())) - {OURS})
    }
    assert not clashes


NAMES = {(file, name) for file, names in on_the_map(MAP) for name in names or [""]}


@pytest.mark.parametrize(("file", "name"), sorted(NAMES))
def test_every_file_and_name_on_the_map_exists(file, name):
    defined = ast.parse((ROOT / file).read_text()).body
    for part in filter(None, name.split(".")):
        [found] = [node for node in defined if getattr(node, "name", None) == part]
        defined = getattr(found, "body", [])


@pytest.mark.parametrize("value", ["frame", "question"])
def test_a_life_can_be_followed_by_a_reader(value):
    life = MAP.partition(f"### The life of a {value}\n")[2].partition("\nBeside the way")[0]
    steps = on_the_map("".join(re.findall(r"^(?:\d+\.| +- |   ).*\n", life, re.MULTILINE)))
    walk = [(file, names) for file, names in steps if names]
    files = [file for file, _ in walk]
    assert 10 <= len(set(files)) <= 12
    assert sum(len(names) for _, names in walk) <= 30
    assert len(files) - len(set(files)) <= 6


SECURITY = (ROOT / "docs" / "security.md").read_text()


@pytest.mark.parametrize(
    ("file", "name"), sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", SECURITY)))
)
def test_every_test_that_the_page_on_security_names_exists(file, name):
    tree = ast.parse((ROOT / "tests" / file).read_text())
    assert name in {getattr(node, "name", "") for node in tree.body}


def test_every_claim_of_the_page_on_security_names_a_test():
    defended = SECURITY.partition("## What is defended")[2].partition("## What is not defended")[0]
    claims = re.findall(r"^- .*(?:\n  .*)*", defended, re.MULTILINE)
    assert len(claims) > 30
    assert not [claim for claim in claims if ".py::test_" not in claim]


OF_OTHERS = {
    "model/zoo/device.py": "what oneDNN reads",
    "stream/pull/process.py": "what a program needs that is started",
    "web/cluster/ray_environment.py": "what Ray reads",
}
"""Files that look at the environment for what is not ours."""


def test_settings_alone_are_read_from_the_environment():
    looking = {
        str(file.relative_to(ROOT))
        for package in ("stream", "model", "memory", "web")
        for file in (ROOT / package).rglob("*.py")
        if re.search(
            r"\b(os\.environ|os\.getenv|from os import .*environ|envvar)\b", file.read_text()
        )
    }
    assert looking == {"web/settings.py", *OF_OTHERS}


FOLDERS = sorted(
    folder
    for package in ("stream", "model", "memory", "web", "training", "benchmarks")
    for folder in {file.parent for file in (ROOT / package).rglob("*.py")}
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_holds_no_more_files_than_a_reader_takes_in(folder):
    assert len(list(folder.glob("*.py"))) <= 15
