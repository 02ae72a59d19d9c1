"""What the Helm chart renders is what Kubernetes takes: its own schemas, strict, of three versions."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.end_to_end.needs import need
from tests.test_helm_chart import HELM, TOKEN, WAYS, rendered

SCHEMAS = Path(__file__).parent.parent / ".venv" / "kubernetes"
VERSIONS = ("1.25", "1.31", "1.37")
NOT_OF_KUBERNETES = {"ServiceMonitor"}


@pytest.fixture(autouse=True)
def helm_and_schemas_are_here():
    need(HELM, "helm")
    need(SCHEMAS.is_dir(), "Kubernetes' schemas: `make kubernetes-schemas`")


@cache
def definitions(version: str) -> Resource:
    return Resource.from_contents(json.loads((SCHEMAS / f"{version}.json").read_text()))


def faults(part: dict, version: str) -> list[str]:
    """Return what Kubernetes `version` would say against `part`."""
    group, _, level = part["apiVersion"].rpartition("/")
    name = f"io.k8s.api.{group.removesuffix('.k8s.io') or 'core'}.{level}.{part['kind']}"
    known = definitions(version)
    assert name in known.contents["$defs"], f"Kubernetes {version} has no {name}"
    validator = Draft202012Validator(
        {"$ref": f"{known.id()}#/$defs/{name}"},
        registry=Registry().with_resource(known.id(), known),
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(part)]


@pytest.mark.parametrize("values", WAYS, ids=lambda values: ",".join(values) or "default")
def test_everything_it_renders_fits_the_schemas_of_kubernetes(values):
    parts = rendered(TOKEN | values)
    for version in VERSIONS:
        for (kind, name), part in parts.items():
            if kind not in NOT_OF_KUBERNETES:
                assert faults(part, version) == [], (version, kind, name)


def test_a_misspelt_field_and_a_wrong_type_are_found():
    deployment = rendered(TOKEN)["Deployment", "cams-flashback"]
    deployment["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    deployment["spec"]["replicas"] = "one"
    found = faults(deployment, VERSIONS[-1])
    assert any("livenesProbe" in fault for fault in found)
    assert any(re.match(r"\$\.spec\.replicas: 'one' is not", fault) for fault in found)
