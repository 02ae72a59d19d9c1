"""Bodies and messages that are too long, or hold too many values, are refused quickly, and the refusal arrives."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.test_connections import connected
from web.errors import BadRequest
from web.http.middleware.guard import BODY_LIMIT
from web.realtime.wire import parse
from web.sent_json import MOST_VALUES, is_intricate

SHORT = BODY_LIMIT // 2
INTRICATE = {
    "objects": b"[" + b",".join([b"{}"] * MOST_VALUES) + b"]",
    "names": json.dumps({f"{i:x}": 0 for i in range(MOST_VALUES // 2 + 9)}).encode(),
    "numbers": b"[" + b",".join([b"1"] * (MOST_VALUES + 2)) + b"]",
    "deep": b"[" * (MOST_VALUES + 1),
}


@pytest.mark.parametrize("text", INTRICATE.values(), ids=INTRICATE)
async def test_json_of_too_many_values_is_refused_before_it_is_read(service, text):
    where = {"Content-Type": "application/json"}
    async with service.client() as client:
        refused = await client.post("/v1/chat/completions", content=text, headers=where)
    assert refused.status_code == 413
    assert "more than 20000 values" in refused.text
    with pytest.raises(BadRequest, match="more than 20000 values"):
        parse(text.decode())


async def test_a_conversation_of_many_words_is_not_intricate(service):
    text = json.dumps({"text": "one, two: {three} [four] " * 10_000, "more": '"\\",,,,' * 9000})
    assert not is_intricate(text.encode())


@settings(max_examples=10)
@given(st.recursive(st.none() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)))
def test_what_stands_in_strings_does_not_count(value):
    marks = "{[,:" * MOST_VALUES
    assert not is_intricate(json.dumps([value, marks], ensure_ascii=False).encode())
    assert is_intricate(json.dumps([value, marks]).encode() + b"," * (MOST_VALUES + 1))


@pytest.mark.parametrize(
    "text", [b'"' * 300_000, b'"\\"' * 100_000, b'"' + b"\\" * 300_000, b'{"' * 99_999]
)
def test_strings_without_an_end_take_no_longer(text):
    assert not is_intricate(b'"' + b"," * 30_000)
    is_intricate(text + b"," * 30_000)  # with one look back a quote it would be minutes


async def answer_to(service, head, *pieces):
    """Send all, then read the status line: as clients do that do not read while they send."""
    async with connected(service) as (reader, writer):
        writer.write(f"POST /v1/streams HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\n\r\n".encode())
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await reader.read()


async def test_whoever_sends_too_much_and_then_listens_hears_why(service):
    size = 40 * SHORT
    answer = await answer_to(service, f"Content-Length: {size}", *[b"x" * SHORT] * 40)
    assert answer.startswith(b"HTTP/1.1 413 ")
    chunk = f"{SHORT:x}\r\n".encode() + b"x" * SHORT + b"\r\n"
    answer = await answer_to(service, "Transfer-Encoding: chunked", *[chunk] * 40, b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"128 KB" in answer


@pytest.mark.parametrize(
    "head",
    ["Content-Length: 99000000", f"Content-Length: {BODY_LIMIT + 1}\r\nExpect: 100-continue"],
)
async def test_what_is_announced_to_be_too_long_is_not_waited_for(service, head):
    answer = await answer_to(service, head)
    assert answer.startswith(b"HTTP/1.1 413 ")
