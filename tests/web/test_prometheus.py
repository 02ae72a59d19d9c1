"""A real Prometheus asks the service, judges our alerts, and answers what the dashboard asks."""

import asyncio
import json
import shutil
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import yaml

from tests.end_to_end.needs import need
from tests.waiting import holds
from tests.web.conftest import echo_service
from tests.web.test_dashboards import ALERTS, ROOT, expressions

BESIDE = ROOT / ".venv" / "prometheus" / "usr" / "bin" / "prometheus"
PROMETHEUS = shutil.which("prometheus") or (str(BESIDE) if BESIDE.exists() else None)
OURS = yaml.safe_load((ALERTS.parent / "prometheus.yml").read_text())
CHOSEN = {"$instance": ".*", "$stream": ".*", "$__rate_interval": "5m"}
"""What a dashboard shows before anybody has chosen anything."""


@asynccontextmanager
async def prometheus(folder: Path, port: int, target: str):
    """Run one with our rules that asks `target` again and again; yields a client of it."""
    [job] = OURS["scrape_configs"]
    config = {
        # An answer has as long as there is between two: a busy machine is to be in time.
        "global": {"scrape_interval": "2s", "evaluation_interval": "1s"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [
            {"job_name": job["job_name"], "static_configs": [{"targets": [target]}]}
        ],
    }
    (folder / "prometheus.json").write_text(json.dumps(config))
    process = await asyncio.create_subprocess_exec(
        *("setpriv", "--pdeathsig", "KILL", PROMETHEUS),
        f"--config.file={folder / 'prometheus.json'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    )
    try:
        address = f"http://127.0.0.1:{port}/api/v1/"
        async with httpx.AsyncClient(base_url=address, timeout=None) as client:
            yield client
    finally:
        process.kill()
        await process.wait()


async def asked(client: httpx.AsyncClient, path: str, **parameters: str):
    """Return what it answers; None while it is not ready yet.

    Raises:
        AssertionError: If it does not understand.
    """
    try:
        response = await client.get(path, params=parameters)
    except httpx.ConnectError:
        return None
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        return None
    answer = response.json()
    assert answer["status"] == "success", answer
    return answer["data"]


async def test_the_dashboard_and_the_alerts_are_answered_by_a_prometheus(tmp_path, unused_tcp_port):
    need(PROMETHEUS, "Prometheus")
    async with echo_service() as service:
        if service.services.metrics is not None:
            service.services.metrics.history_bytes = lambda: 1
        async with service.client() as client:
            await service.remember()
            question = {"model": "echo@cam", "messages": [{"role": "user", "content": "one two"}]}
            (await client.post("/v1/chat/completions", json=question)).raise_for_status()
            told = (await client.get("/metrics")).text
        async with prometheus(tmp_path, unused_tcp_port, service.address) as client:

            async def found(expression: str) -> bool:
                answer = await asked(client, "query", query=expression)
                return answer is not None and bool(answer["result"])

            await holds(lambda: found('up{job="flashback"} == 1'))
            # A rate takes two samples.
            await holds(lambda: found("count_over_time(flashback_streams[5m]) > 1"))
            shown, watched = expressions()
            empty = []
            for expression in shown:
                filled = expression
                for name, value in CHOSEN.items():
                    filled = filled.replace(name, value)
                if not await found(filled):
                    empty.append(expression)
            assert not [one for one in empty if measured(one, told)]
            assert len(empty) < len(shown) / 2  # there is no camera, so no frame is old
            rules = [rule for group in (await asked(client, "rules"))["groups"] for rule in group["rules"]]  # fmt: skip
            assert [rule["query"] for rule in rules]
            assert len(rules) == len(watched)
            await holds(lambda: judged(client, len(watched)))


def measured(expression: str, told: str) -> bool:
    """Say whether the service tells a value of what `expression` is about."""
    name = expression.partition("flashback_")[2].partition("{")[0]
    return f"\nflashback_{name}{{" in told or f"\nflashback_{name} " in told


async def judged(client: httpx.AsyncClient, count: int) -> bool:
    """Say whether all rules were evaluated, without fault."""
    groups = (await asked(client, "rules"))["groups"]
    health = [rule["health"] for group in groups for rule in group["rules"]]
    assert "err" not in health, groups
    return health == ["ok"] * count


def test_what_is_measured_is_told_from_what_is_not():
    told = '# TYPE flashback_x gauge\nflashback_x{stream="a"} 1.0\nflashback_y 2.0\n'
    assert measured('sum(flashback_x{instance=~"$instance"})', told)
    assert measured("flashback_y{}", told)
    assert not measured("flashback_z{}", told)
