"""What is wrong in a message is named by the path that the client wrote, not by what pydantic calls its choices."""

import json

import pytest

from web.errors import BadRequest
from web.realtime.wire import parse
from web.sent_json import field_path

SAID = {"type": "message", "role": "user"}


@pytest.mark.parametrize(
    ("event", "param"),
    [
        ({"type": "response.create", "response": {"max_output_tokens": 4096}}, "response.max_output_tokens"),
        ({"type": "session.update", "session": {"max_output_tokens": "lots"}}, "session.max_output_tokens"),
        (
            {"type": "conversation.item.create", "item": {**SAID, "content": [{"type": "input_text", "text": 5}]}},
            "item.content.0.text",
        ),
        (
            {"type": "conversation.item.create", "item": {**SAID, "content": [{"type": "input_text"}]}},
            "item.content.0.text",
        ),
        ({"type": "conversation.item.create", "item": SAID}, "item.content"),
    ],
)  # fmt: skip
def test_a_wrong_field_of_an_event_is_named_as_it_was_sent(event, param):
    with pytest.raises(BadRequest) as refused:
        parse(json.dumps(event))
    assert refused.value.param == param
    assert str(refused.value).startswith(f"{param}: ")


def test_a_branch_that_is_called_like_a_field_is_none():
    sent = {"content": [{"type": "text", "text": 5}]}
    assert field_path(sent, ["content", 0, "text", "text"], missing=False) == "content.0.text"
    assert field_path(sent, ["content", "list[Part]", 0], missing=False) == "content.0"
