"""Writes what the service is made of as a CycloneDX document: `make sbom`.

Each package that it needs at run time, as installed here, with version, licence and what it needs in
turn; and the weights, which are no packages, by their hashes.
"""

import argparse
import hashlib
import re
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
EXTRAS = ("metrics", "otel", "mqtt", "jwt")  # what the image has
# Weights that are in the repository; NOTICE says where they come from.
WEIGHTS = {"lite": "Apache-2.0", "detector": "MIT", "faces": "MIT"}
BASE_WEIGHTS = ROOT / "model/base_weights.txt"
_LONGEST_NAME = 100  # above that it is the text of a licence


def canonical(name: str) -> str:
    """Return how an index writes the name of a package."""
    return re.sub(r"[-_.]+", "-", name).lower()


def runtime() -> dict[str, set[str]]:
    """Return every package that we need with `EXTRAS` on this machine, and what each needs itself.

    Raises:
        importlib.metadata.PackageNotFoundError: If one of them is not installed.
    """
    needs: dict[str, set[str]] = {}
    waiting, seen = [("flashback", frozenset[str]())], set()
    while waiting:
        package, wanted = waiting.pop()
        if (package, wanted) in seen:
            continue
        seen.add((package, wanted))
        found = needs.setdefault(package, set())
        for requirement in map(Requirement, _requirements(package)):
            if requirement.marker is None or any(
                requirement.marker.evaluate({"extra": extra}) for extra in ("", *wanted)
            ):
                found.add(canonical(requirement.name))
                waiting.append((canonical(requirement.name), frozenset(requirement.extras)))
    return needs


def _requirements(package: str) -> list[str]:
    if package != "flashback":
        return distribution(package).requires or []
    # As it is written now: what is installed may be of an older day.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(line for extra in EXTRAS for line in extras[extra])]


def licences(package: Distribution) -> list[License]:
    """Return the licences that `package` names: as an expression, in words, or as classifiers."""
    said = package.metadata
    names = [said.get("License-Expression"), said.get("License")]
    named = next((name for name in names if name and len(name.strip()) < _LONGEST_NAME), None)
    if named is not None:
        return [LicenseFactory().make_from_string(named.strip())]
    kinds = [line for line in said.get_all("Classifier") or () if line.startswith("License ::")]
    return [LicenseFactory().make_from_string(kind.rpartition(" :: ")[2]) for kind in kinds]


def document(base_weights: Path = BASE_WEIGHTS) -> Bom:
    """Return the bill of materials of what is installed here."""
    needs = runtime()
    carriers = re.findall(r"^([\w-]+)==", base_weights.read_text(), re.MULTILINE)
    needs["flashback"] |= set(carriers)  # installed without what they need themselves
    needs |= {carrier: set[str]() for carrier in carriers}
    bom, made = Bom(), {name: _component(distribution(name)) for name in sorted(needs)}
    bom.metadata.component = made["flashback"]
    bom.components |= {part for name, part in made.items() if name != "flashback"}
    for name, needed in needs.items():
        bom.register_dependency(made[name], [made[other] for other in sorted(needed)])
    bom.components |= {_weights(name, licence) for name, licence in WEIGHTS.items()}
    return bom


def _component(package: Distribution) -> Component:
    name = canonical(package.metadata["Name"])
    address = PackageURL(type="pypi", name=name, version=package.version)
    return Component(
        name=name,
        version=package.version,
        type=ComponentType.APPLICATION if name == "flashback" else ComponentType.LIBRARY,
        licenses=licences(package),
        purl=address,
        bom_ref=str(address),
    )


def _weights(name: str, licence: str) -> Component:
    path = ROOT / "model/checkpoints" / f"{name}.safetensors"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Component(
        name=str(path.relative_to(ROOT)),
        type=ComponentType.MACHINE_LEARNING_MODEL,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        licenses=[LicenseFactory().make_from_string(licence)],
        bom_ref=path.name,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="where to write the document to")
    JsonV1Dot6(document()).output_to_file(
        str(parser.parse_args().file), allow_overwrite=True, indent=2
    )
