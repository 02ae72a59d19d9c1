"""Schemathesis asks what `/openapi.json` says may be asked, and what it says may not."""

import os
import sys

import pytest

from tests.clients.conftest import program
from tests.web.conftest import echo_service

# Two checks cannot hold. What a schema allows may still be refused (`positive_data_acceptance`): of a
# URL, an offer, a time zone's name or a request to watch a pattern says little, and nothing of one field
# that must not lie behind another (`since`, `until`).
# A stream may be called `test`, and what is asked of /v1/streams/test, or /v1/watches/events, goes to the
# route that takes it: `Allow` names what both of their routes take, a path of the document what one does
# (`allow_header_conformance`).
ASK = [
    "run",
    "--no-color",
    "--seed",
    "1",
    "--no-shrink",
    "--max-examples",
    "4",
    "--continue-on-failure",
    "--phases",
    "coverage,fuzzing",
    "--request-timeout",
    "20",
    "--exclude-checks",
    "positive_data_acceptance,allow_header_conformance",
]

SEND_AS_TEXT = """
from schemathesis import serializer
serializer.alias(["application/sdp", "application/trickle-ice-sdpfrag"], "text/plain")
"""

# Too large is a refusal, too.
REFUSALS = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]
"""


@pytest.mark.slow
@pytest.mark.timeout(600)  # thousands of requests
async def test_what_is_said_of_the_interface_is_so(tmp_path):
    async with echo_service(token="secret", max_streams=10_000) as service:
        await service.remember("0")
        command = [sys.executable, "-m", "schemathesis.cli", *ASK]
        (tmp_path / "hooks.py").write_text(SEND_AS_TEXT)
        (tmp_path / "schemathesis.toml").write_text(REFUSALS)
        hooks = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(tmp_path)}
        token = ["--header", "Authorization: Bearer secret"]
        async with program(
            *command, *token, f"{service.url}/openapi.json", cwd=tmp_path, env=hooks
        ) as schemathesis:
            said, errors = await schemathesis.communicate()
    assert schemathesis.returncode == 0, (said + errors).decode()[-8000:]


async def test_without_a_token_none_is_asked_for(service):
    async with service.client() as client:
        said = (await client.get("/openapi.json")).json()
    assert "securitySchemes" not in said["components"]
    for methods in said["paths"].values():
        assert all(
            "security" not in one and "401" not in one["responses"] for one in methods.values()
        )


async def test_a_fault_of_ours_is_a_problem_document_too(service):
    def broken(*_, **__):
        raise ZeroDivisionError

    service.store.moments = broken
    await service.remember()
    async with service.client() as client:
        response = await client.get("/v1/streams/cam/moments")
    assert response.status_code == 500
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "its log says more" in response.json()["detail"]
