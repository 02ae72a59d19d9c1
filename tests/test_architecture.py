"""Rules about the shape of the code rather than what it does."""

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

OURS = "flashback"
ROOT = Path(__file__).parents[1]
MAP = (ROOT / "docs" / "architecture.md").read_text()
FILES = re.findall(r"`([\w/]+\.py)`(?:\s\(`(\w+)`\))?", MAP)


def test_no_dependency_ships_a_package_with_our_names():
    owners = packages_distributions()
    clashes = {
        name: other
        for name in ("stream", "model", "memory", "web")
        if (other := set(owners.get(name, ())) - {OURS})
    }
    assert not clashes


@pytest.mark.parametrize(("file", "name"), sorted(set(FILES)))
def test_every_file_and_name_on_the_map_exists(file, name):
    tree = ast.parse((ROOT / file).read_text())
    defined = {getattr(node, "name", "") for node in tree.body}
    assert not name or name in defined


SECURITY = (ROOT / "docs" / "security.md").read_text()


@pytest.mark.parametrize(
    ("file", "name"), sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", SECURITY)))
)
def test_every_test_that_the_page_on_security_names_exists(file, name):
    tree = ast.parse((ROOT / "tests" / file).read_text())
    assert name in {getattr(node, "name", "") for node in tree.body}


FOLDERS = sorted(
    folder
    for package in ("stream", "model", "memory", "web", "training", "benchmarks")
    for folder in {file.parent for file in (ROOT / package).rglob("*.py")}
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_holds_no_more_files_than_a_reader_takes_in(folder):
    assert len(list(folder.glob("*.py"))) <= 15
