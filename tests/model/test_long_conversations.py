"""What of a long conversation reaches the tokeniser."""

from types import SimpleNamespace

import pytest
import torch

from model.errors import ModelError
from model.language.prompt import VisibleSpan
from model.types import Clip, Question, Turn
from model.video_chat import CHARACTERS_PER_TOKEN, MAX_QUESTION_TOKENS, VideoChat
from model.zoo.tiny import tiny


class Counting:
    """A prompt that notes how many characters it was given."""

    def __init__(self):
        self.given = []

    def suffix(self, question, seen):
        size = len(question.text) + sum(len(turn.text) for turn in question.conversation)
        self.given.append(size)
        return [0] * (size // 4)


def suffix(question):
    chat = SimpleNamespace(prompt=Counting(), _question_tokens=MAX_QUESTION_TOKENS)
    tokens = VideoChat._suffix(chat, question, VisibleSpan(start=0, end=1, frames=4))
    return tokens, chat.prompt.given


def test_of_a_long_conversation_only_what_may_fit_is_tokenised():
    turns = tuple(Turn("user", "x" * 30_000) for _ in range(40))
    tokens, given = suffix(Question("short", conversation=turns))
    assert given == [5]
    assert len(tokens) == 1


def test_a_question_of_too_many_characters_is_refused_before_it_is_tokenised():
    most = CHARACTERS_PER_TOKEN * MAX_QUESTION_TOKENS
    with pytest.raises(ModelError, match=f"at most {most} can be read"):
        suffix(Question("x" * 1_200_000))


def test_a_network_can_be_opened_for_longer_questions():
    question = Question("why " * 700)
    prefills = []
    for chat in (VideoChat(tiny()), VideoChat(tiny(), question_tokens=4000)):
        history = chat.open()
        chat.extend(history, chat.encode([Clip(torch.zeros(4, 8, 8, 3, dtype=torch.uint8), 0, 3)]))
        prefills.append((chat, history))
    with pytest.raises(ModelError, match="at most 1024 can be read"):
        prefills[0][0].ask(prefills[0][1], question)
    chat, history = prefills[1]
    assert chat.ask(history, question).prompt_tokens > 2800
    assert chat.reserved == 4512
