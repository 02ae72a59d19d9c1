"""What of a long conversation reaches the tokeniser."""

from types import SimpleNamespace

import pytest

from model.errors import QuestionTooLong
from model.language.prompt import VisibleSpan
from model.types import Question, Turn
from model.video_chat import MAX_QUESTION_CHARACTERS, VideoChat


class Counting:
    """A prompt that notes how many characters it was given."""

    def __init__(self):
        self.given = []

    def suffix(self, question, seen):
        size = len(question.text) + sum(len(turn.text) for turn in question.conversation)
        self.given.append(size)
        return [0] * (size // 4)


def suffix(question):
    chat = SimpleNamespace(prompt=Counting())
    tokens = VideoChat._suffix(chat, question, VisibleSpan(start=0, end=1, frames=4))
    return tokens, chat.prompt.given


def test_of_a_long_conversation_only_what_may_fit_is_tokenised():
    turns = tuple(Turn("user", "x" * 30_000) for _ in range(40))
    tokens, given = suffix(Question("short", conversation=turns))
    assert given == [5]
    assert len(tokens) == 1


def test_a_question_of_too_many_characters_is_refused_before_it_is_tokenised():
    with pytest.raises(QuestionTooLong, match=f"at most {MAX_QUESTION_CHARACTERS} can be read"):
        suffix(Question("x" * 1_200_000))
