"""What Grafana and Prometheus are told to show and to watch exists, and says what it should."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.web.conftest import echo_service
from web.settings import variables

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "flashback.json"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
PROMTOOL = shutil.which("promtool", path=f"{ROOT / '.venv/prometheus/usr/bin'}:/usr/bin:/usr/local/bin")  # fmt: skip
_NAME = re.compile(r"\bflashback_[a-z0-9_]+")


def expressions():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    shown = [target["expr"] for panel in panels for target in panel["targets"]]
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return shown, [rule["expr"] for group in groups for rule in group["rules"]]


async def names_and_labels():
    """Return every series of a service that has seen and answered something, and its labels."""
    async with echo_service() as service:
        await service.remember()
        await service.services.registry.open("cam")
        if service.services.metrics is not None:
            service.services.metrics.history_bytes = lambda: 1
        async with service.client() as client:
            asked = {"model": "echo@cam", "messages": [{"role": "user", "content": "one two"}]}
            await client.post("/v1/chat/completions", json=asked)
            text = (await client.get("/metrics")).text
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, labels = line.partition("{")
            found.setdefault(name.split()[0], set()).update(re.findall(r'(\w+)="', labels))
    # Not there: a frame of a stream that is only remembered, a Redis, a WebRTC sender.
    of_stream = ("frame_age_seconds", "rtp_packets_lost_total", "rtp_jitter_seconds")
    found |= {f"flashback_{name}": {"stream"} for name in of_stream}
    return found | {"flashback_redis_bytes": set()}


async def test_every_metric_that_is_shown_or_watched_is_one_of_ours():
    known = await names_and_labels()
    shown, watched = expressions()
    assert len(shown) > 10
    assert len(watched) > 5
    for expression in (*shown, *watched):
        used = set(_NAME.findall(expression))
        assert used <= set(known) | {"flashback"}, expression
        labels = set().union({"instance", "job", "le"}, *(known[name] for name in used))
        grouped = re.findall(r"by \(([\w, ]+)\)", expression)
        chosen = re.findall(r"(\w+)=~?\"", expression)
        assert {*chosen, *(w for g in grouped for w in g.split(", "))} <= labels, expression


def test_what_an_alert_says_to_do_can_be_done():
    settings = {name for name, *_ in variables()}
    for rule in yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]:
        said = rule["annotations"]["description"]
        assert said
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(re.findall(r"FLASHBACK_\w+", said)) <= settings


def test_panels_do_not_lie_on_one_another():
    places = [tuple(p["gridPos"].values()) for p in json.loads(DASHBOARD.read_text())["panels"]]
    assert len(set(places)) == len(places)


@pytest.mark.skipif(PROMTOOL is None, reason="needs promtool, of Prometheus")
@pytest.mark.parametrize(
    "check",
    [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"], ["check", "config", "--syntax-only", "prometheus.yml"]],
)  # fmt: skip
def test_prometheus_takes_the_rules_and_fires_them_when_it_should(check):
    done = subprocess.run([PROMTOOL, *check], cwd=ALERTS.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
