import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from model.engine.generation import MAX_ANSWER_TOKENS
from web.errors import BadRequest
from web.realtime.client_events import ItemCreate, ResponseCreate, SessionUpdate, client_events
from web.realtime.protocol import render
from web.realtime.server_events import server_events
from web.realtime.wire import parse

DOCS = Path(__file__).parents[2] / "docs" / "protocol.md"


def test_the_protocol_page_is_current():
    assert DOCS.read_text() == render(), "run: python -m web.realtime.protocol > docs/protocol.md"


def test_the_protocol_page_names_every_event():
    page = render()
    for adapter in (client_events, server_events):
        for kind in adapter.json_schema()["discriminator"]["mapping"]:
            assert f"### `{kind}`" in page


def test_a_stock_clients_question_is_understood():
    event = parse(
        '{"type": "conversation.item.create", "previous_item_id": null, "item": {"type": "message",'
        ' "role": "user", "content": [{"type": "input_text", "text": "hi"}]}}'
    )
    assert isinstance(event, ItemCreate)
    assert event.item.text == "hi"


def test_what_is_left_out_has_a_default():
    assert parse('{"type": "response.create"}') == ResponseCreate()
    assert parse('{"type": "session.update", "session": {"type": "realtime"}}') == SessionUpdate(
        session={"type": "realtime"}
    )


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ('{"role": "user", "content": []}', "item"),
        ('{"role": "user", "content": [{"type": "output_text", "text": "x"}]}', "item"),
        ('{"role": "robot", "content": [{"type": "input_text", "text": "x"}]}', "item.role"),
        ('{"role": "user", "content": [{"type": "input_text", "text": ""}]}', "item.content"),
        ('{"role": "user", "content": [{"type": "input_image", "image_url": "http://x"}]}', "item"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_by_its_field(item, param):
    with pytest.raises(BadRequest) as refused:
        parse(f'{{"type": "conversation.item.create", "item": {item}}}')
    assert refused.value.code == "invalid_value"
    assert refused.value.param.startswith(param)


@given(st.text(max_size=200))
def test_any_text_is_an_event_or_refused(text):
    with pytest.raises(BadRequest):
        parse(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
names = st.sampled_from(["session", "item", "response", "event_id", "response_id", "x"])
kinds = st.sampled_from(
    [
        "session.update",
        "conversation.item.create",
        "response.create",
        "response.cancel",
    ]
)


@given(kinds, st.dictionaries(names, json_values, max_size=3))
def test_any_object_is_an_event_or_refused_with_a_code(kind, fields):
    refused = refusal_of(json.dumps({"type": kind, **fields}))
    if refused is not None:
        assert refused.code in {"unknown_parameter", "invalid_value", "invalid_json"}
        assert str(refused)


def refusal_of(text):
    try:
        parse(text)
    except BadRequest as refused:
        return refused
    return None


def test_the_page_tells_the_bounds_of_what_may_be_left_out():
    assert "| `temperature` | number (at least 0, at most 2) or null |" in render()


@pytest.mark.parametrize("event", [SessionUpdate, ResponseCreate])
def test_an_answer_longer_than_any_is_written_is_refused_with_the_bound(event):
    field = "session" if event is SessionUpdate else "response"
    event.model_validate({field: {"max_output_tokens": MAX_ANSWER_TOKENS}})
    with pytest.raises(ValidationError, match=f"less than or equal to {MAX_ANSWER_TOKENS}"):
        event.model_validate({field: {"max_output_tokens": MAX_ANSWER_TOKENS + 1}})
