"""What a request is not granted for."""

import pytest

from web.errors import BadRequest, Full, Refusal


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
