"""The tree of the web's errors is what its page says."""

import re

import pytest

from web import errors
from web.errors import BadRequest, Full, Refusal, WebError

DRAWN = dict(
    re.findall(
        r"── (\w+) {2,}(?:([a-z_]+) {2,})?", "── WebError  \n" + errors.__doc__.split("\n\n")[1]
    )
)


def kinds(above):
    for kind in above.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_error_is_drawn_in_the_tree_with_its_code():
    assert set(DRAWN) == {kind.__name__ for kind in kinds(WebError)} | {"WebError"}
    coded = {name: code for name, code in DRAWN.items() if code}
    assert coded == {name: getattr(errors, name).code for name in coded}
    assert set(DRAWN) - set(coded) == {"WebError", "Refusal", "BadRequest"}


@pytest.mark.parametrize(
    ("refusal", "status", "code", "headers"),
    [
        (Refusal(404, "None."), 404, "not_found", {}),
        (Refusal(503, "Full.", {"Retry-After": "10"}), 503, "service_unavailable", {"Retry-After": "10"}),
        (BadRequest("invalid_value", "No."), 400, "invalid_value", {}),
        (BadRequest("model_not_found", "No."), 404, "model_not_found", {}),
        (Full("Later."), 503, "quota_full", {"Retry-After": "10"}),
        (Full("No more.", of_token=True, retry_after=1.5), 429, "rate_limit_exceeded", {"Retry-After": "2"}),
        (Refusal(404, "None.", code="nothing_seen"), 404, "nothing_seen", {}),
    ],
)  # fmt: skip
def test_a_refusal_has_a_status_a_code_and_headers(refusal, status, code, headers):
    assert (refusal.status, refusal.code, refusal.headers) == (status, code, headers)
    assert str(refusal) == refusal.detail
