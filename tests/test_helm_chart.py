"""The Helm chart, linted and rendered by helm itself, fits the service that it deploys."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.end_to_end.needs import need
from web.settings import PREFIX, Settings, variables

ROOT = Path(__file__).parent.parent
CHART = ROOT / "deploy" / "helm" / "flashback"
BESIDE = ROOT / ".venv" / "helm" / "helm"
HELM = shutil.which("helm") or (str(BESIDE) if BESIDE.exists() else None)
TOKEN = {"token": {"value": "a long secret"}}


@pytest.fixture(autouse=True)
def helm_is_here():
    need(HELM, "helm")


def helm(*arguments: str, values: dict) -> subprocess.CompletedProcess[str]:
    command = [HELM, *arguments, "--values", "-"]
    return subprocess.run(command, input=json.dumps(values), capture_output=True, text=True)


def rendered(values: dict) -> dict[tuple[str, str], dict]:
    done = helm("template", "cams", str(CHART), "--namespace", "yard", values=values)
    assert done.returncode == 0, done.stderr
    found = [part for part in yaml.safe_load_all(done.stdout) if part]
    return {(part["kind"], part["metadata"]["name"]): part for part in found}


def pod(parts: dict) -> dict:
    return parts["Deployment", "cams-flashback"]["spec"]["template"]["spec"]


def environment(parts: dict) -> dict[str, str | dict]:
    [container] = pod(parts)["containers"]
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


OWN_REDIS = {"enabled": False, "existingSecret": "redis"}
WAYS = [
    {},
    {"media": {"mode": "hostNetwork"}, "redis": {"passwordSecret": "redis"}},
    {
        "media": {"mode": "hostNetwork"},
        "redis": OWN_REDIS,
        "gpu": {"enabled": True},
        "settings": {"MODEL": "flash-2b"},
    },
    {"media": {"mode": "none"}, "data": {"enabled": False}, "checkpoints": {"enabled": True}},
    {"redis": OWN_REDIS, "networkPolicy": False, "disruptionBudget": True},
    {"disruptionBudget": True},
    {"ingress": {"enabled": True, "host": "cams.example", "tlsSecret": "tls"}},
    {"token": {"existingSecret": "mine"}, "metrics": {"serviceMonitor": {"enabled": True}}},
]


@pytest.mark.parametrize("values", WAYS, ids=lambda values: ",".join(values) or "default")
def test_it_is_linted_and_everything_it_renders_fits_together(values):
    values = TOKEN | values
    linted = helm("lint", "--strict", str(CHART), values=values)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    parts = rendered(values)
    names = {name for name, *_ in variables()}
    ours = environment(parts)
    assert {name for name in ours if name.startswith(PREFIX)} <= names
    plain = {name: value for name, value in ours.items() if isinstance(value, str)}
    settings = Settings.from_env({"FLASHBACK_TOKEN": "a secret", **plain})
    assert settings.port == 8700
    secrets = {name for kind, name in parts if kind == "Secret"} | {"mine", "redis", "tls"}
    asked = [value["secretKeyRef"]["name"] for value in ours.values() if "secretKeyRef" in value]
    assert set(asked) <= secrets
    for (kind, _), part in parts.items():
        if kind in {"Deployment", "StatefulSet"}:
            check_pod(part["spec"], parts)


def check_pod(spec: dict, parts: dict) -> None:
    template = spec["template"]
    assert spec["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    volumes = {volume["name"]: volume for volume in template["spec"].get("volumes", [])}
    volumes |= {claim["metadata"]["name"]: {} for claim in spec.get("volumeClaimTemplates", [])}
    for volume in volumes.values():
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        assert claim is None or ("PersistentVolumeClaim", claim) in parts
    assert template["spec"]["securityContext"]["runAsNonRoot"] is True
    for container in template["spec"]["containers"]:
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes.keys()
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["image"].partition(":")[2] not in {"", "latest"}
        ports = [(p["containerPort"], p.get("protocol")) for p in container["ports"]]
        assert len(ports) == len(set(ports))


def test_the_pod_is_asked_what_the_service_answers_and_has_time_to_drain():
    parts = rendered(TOKEN | {"drainSeconds": 40, "finishSeconds": 20})
    [container] = pod(parts)["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    assert pod(parts)["terminationGracePeriodSeconds"] >= 40 + 20 + 10
    assert pod(parts)["enableServiceLinks"] is False  # else FLASHBACK_PORT is not ours
    assert parts["Deployment", "cams-flashback"]["spec"]["strategy"] == {"type": "Recreate"}


def test_every_port_of_the_media_is_one_of_the_node_and_its_address_is_told():
    parts = rendered(TOKEN | {"media": {"firstPort": 40000, "lastPort": 40003}})
    [container] = pod(parts)["containers"]
    opened = {p["hostPort"] for p in container["ports"] if p.get("protocol") == "UDP"}
    assert opened == {40000, 40001, 40002, 40003}
    assert environment(parts)["FLASHBACK_UDP_PORTS"] == "40000-40003"
    told = environment(parts)["FLASHBACK_ADVERTISED_HOST"]
    assert told == {"fieldRef": {"fieldPath": "status.hostIP"}}


def test_browsers_and_prometheus_reach_it_by_the_names_that_it_knows():
    values = {"ingress": {"enabled": True, "host": "cams.example"}, "allowedHosts": ["other"]}
    hosts = environment(rendered(TOKEN | values))["FLASHBACK_ALLOWED_HOSTS"].split(",")
    assert {"cams-flashback", "cams-flashback.yard.svc", "cams.example", "other"} <= set(hosts)


def test_redis_keeps_what_it_has_and_is_reached_by_the_service_alone():
    parts = rendered(TOKEN)
    [container] = parts["StatefulSet", "cams-flashback-redis"]["spec"]["template"]["spec"]["containers"]  # fmt: skip
    command = " ".join(container["args"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    [rule] = parts["NetworkPolicy", "cams-flashback-redis"]["spec"]["ingress"]
    let_in = rule["from"][0]["podSelector"]["matchLabels"]
    labels = parts["Deployment", "cams-flashback"]["spec"]["template"]["metadata"]["labels"]
    assert let_in.items() <= labels.items()
    assert parts["Service", "cams-flashback-redis"]["spec"]["clusterIP"] == "None"


def redis_pod(parts: dict) -> dict:
    [container] = parts["StatefulSet", "cams-flashback-redis"]["spec"]["template"]["spec"]["containers"]  # fmt: skip
    return container


def compose_check() -> list[str]:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    kind, check = compose["services"]["redis"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    return ["sh", "-c", check]


def test_redis_is_ready_once_it_has_read_its_log_and_not_killed_before(tmp_path):
    container = redis_pod(rendered(TOKEN))
    # `redis-cli ping` succeeds at "LOADING Redis is loading the dataset in memory", too.
    checks = (container["readinessProbe"]["exec"]["command"], compose_check())
    client = tmp_path / "redis-cli"
    for said, is_ready in (("PONG", True), ("LOADING Redis is loading", False), ("", False)):
        client.write_text(f"#!/bin/sh\necho '{said}'\n")
        client.chmod(0o755)
        variables = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        for check in checks:
            assert (subprocess.run(check, env=variables).returncode == 0) is is_ready
    assert container["livenessProbe"]["exec"]["command"] == ["redis-cli", "ping"]


def test_a_password_of_redis_comes_from_one_secret_for_all_who_need_it():
    parts = rendered(TOKEN | {"redis": {"passwordSecret": "mine", "passwordKey": "pw"}})
    secret = {"secretKeyRef": {"name": "mine", "key": "pw"}}
    container = redis_pod(parts)
    assert container["args"][-2:] == ["--requirepass", "$(REDISCLI_AUTH)"]
    assert container["env"] == [{"name": "REDISCLI_AUTH", "valueFrom": secret}]
    ours = environment(parts)
    assert ours["REDIS_PASSWORD"] == secret
    assert list(ours).index("REDIS_PASSWORD") < list(ours).index("FLASHBACK_REDIS_URL")
    assert ours["FLASHBACK_REDIS_URL"] == "redis://:$(REDIS_PASSWORD)@cams-flashback-redis:6379/0"


def test_a_budget_of_disruptions_covers_each_pod_and_is_off_by_default():
    parts = rendered(TOKEN | {"disruptionBudget": True})
    budgets = [part["spec"] for (kind, _), part in parts.items() if kind == "PodDisruptionBudget"]
    pods = [
        part["spec"]["template"]["metadata"]["labels"]
        for (kind, _), part in parts.items()
        if kind in {"Deployment", "StatefulSet"}
    ]
    chosen = [
        [b["selector"]["matchLabels"].items() <= labels.items() for b in budgets] for labels in pods
    ]
    assert [sum(each) for each in chosen] == [1, 1]
    assert {budget["maxUnavailable"] for budget in budgets} == {0}
    assert "PodDisruptionBudget" not in {kind for kind, _ in rendered(TOKEN)}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "a token is needed"),
        (TOKEN | {"redis": {"enabled": False}}, "redis.existingSecret"),
        (TOKEN | {"ingress": {"enabled": True}}, "ingress.host"),
        (TOKEN | {"media": {"firstPort": 2, "lastPort": 1}}, "media.firstPort is above"),
        (TOKEN | {"media": {"lastPort": 60000}}, "256 at most"),
        (TOKEN | {"media": {"mode": "hostNetwork"}}, "redis.passwordSecret"),
        (TOKEN | {"settings": {"TOKEN": "x"}}, "TOKEN"),
        (TOKEN | {"setings": {}}, "setings"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_missing_or_misspelt_is_said(values, said):
    done = helm("template", "cams", str(CHART), values=values)
    assert done.returncode != 0
    assert said in done.stderr


def test_the_version_is_that_of_the_service():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert f'version = "{chart["appVersion"]}"' in (ROOT / "pyproject.toml").read_text()
