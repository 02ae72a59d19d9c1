"""What is installed is pinned by hash, and listed with its licence."""

import json
import re
import tomllib
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.version import Version

from deploy.sbom import BASE_WEIGHTS, canonical, document, runtime

ROOT = Path(__file__).parent.parent
LOCKS = [ROOT / "deploy" / name for name in ("requirements.lock", "requirements-cpu.lock")]
PINS = {
    canonical(name): pin
    for name, pin in re.findall(
        r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE
    )
}


@pytest.fixture(scope="module")
def bill() -> dict:
    text = JsonV1Dot6(document()).output_as_string()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return json.loads(text)


def read(lock: Path) -> dict[str, tuple[Requirement, int]]:
    """Return each requirement of `lock`, with how many hashes it has."""
    lines = lock.read_text().replace("\\\n", " ").splitlines()
    parts = [line.partition("--hash=sha256:") for line in lines]
    return {
        canonical(requirement.name): (requirement, line.count("--hash=sha256:"))
        for (words, *_), line in zip(parts, lines, strict=True)
        if (requirement := Requirement(words.strip()))
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_that_is_needed_is_locked_by_hash_at_the_version_of_the_tests(lock):
    locked = read(lock)
    assert runtime().keys() - {"flashback"} <= locked.keys(), "run `make lock`"
    for name, (requirement, hashes) in locked.items():
        assert hashes, name
        [pin] = requirement.specifier
        assert pin.operator == "=="
        wanted = PINS.get(name)
        assert wanted is None or Version(pin.version).public == wanted, f"{name}: run `make lock`"


@pytest.mark.parametrize("lock", [*LOCKS, ROOT / "deploy/build.lock"], ids=lambda lock: lock.name)
def test_a_lock_names_no_place_to_fetch_from(lock):
    assert not re.search(r"://|--(index|extra-index|find-links)|\.(org|com|io)\b", lock.read_text())


def test_the_image_installs_what_is_locked_and_nothing_else():
    image = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    steps = re.findall(r"pip (?:install|wheel)[^&\n]*", image)
    assert len(steps) == 5
    for step in steps:
        assert "--no-deps" in step
        assert "--require-hashes" in step or "--no-index" in step
        assert "wheel --no-deps" not in step or "--no-build-isolation" in step


def test_what_builds_our_wheel_is_locked_by_hash_too():
    lock = ROOT / "deploy" / "build.lock"
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    waiting, needed = [*wanted], set()
    while waiting:
        name = canonical(Requirement(waiting.pop()).name)
        needed.add(name)
        found = [Requirement(line) for line in requires(name) or ()]
        waiting += [one.name for one in found if one.marker is None or one.marker.evaluate({"extra": ""})]  # fmt: skip
    locked = read(lock)
    assert needed <= locked.keys(), "run `make lock`"
    assert all(hashes for _, hashes in locked.values())
    for name, (requirement, _) in locked.items():
        [pin] = requirement.specifier
        assert PINS.get(name) in {None, pin.version}, f"{name}: run `make lock`"


def test_the_lock_for_processors_brings_nothing_for_graphics_cards():
    assert not [name for name in read(LOCKS[1]) if name.startswith(("nvidia", "cuda", "triton"))]
    assert read(LOCKS[1])["torch"][0].specifier == Requirement("torch==2.13.0+cpu").specifier


def test_the_bill_of_materials_lists_every_package_with_its_version_and_licence(bill):
    listed = {part["name"]: part for part in bill["components"]}
    assert runtime().keys() - {"flashback"} <= listed.keys()
    for name, part in listed.items():
        licences = [entry.get("license") or entry for entry in part["licenses"]]
        assert all(licence.keys() & {"id", "name", "expression"} for licence in licences), name
        if part["type"] == "library":
            assert part["version"] == version(name)
            assert part["purl"].startswith(f"pkg:pypi/{name}@")


def test_it_lists_the_weights_and_who_needs_what(bill):
    weights = [part for part in bill["components"] if part["type"] == "machine-learning-model"]
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "model/checkpoints").iterdir()}
    assert {part["name"] for part in weights} == files
    assert all(part["hashes"][0]["alg"] == "SHA-256" for part in weights)
    carriers = set(re.findall(r"^([\w-]+)==", BASE_WEIGHTS.read_text(), re.MULTILINE))
    assert carriers <= {part["name"] for part in bill["components"]}
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in bill["dependencies"]}
    ours = {ref.removeprefix("pkg:pypi/").partition("@")[0] for ref in needs[bill["metadata"]["component"]["bom-ref"]]}  # fmt: skip
    assert carriers | {"torch", "fastapi", "prometheus-client"} <= ours
