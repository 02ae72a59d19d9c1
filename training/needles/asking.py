"""Asks about clips: an answer in words, where it was found, and the published score of letters.

The published needle test writes nothing: it takes the likeliest of the four letters as the answer,
which is right more often than words are, and is shown beside them here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from model.history import History
from model.language.sampling import TextStream
from model.types import ClipTokens, Question
from model.video_chat import VideoChat
from training.evaluations.letters import LETTERS, listed

LONGEST = 40
ASK_LETTER = "{}\n{}\nAnswer with the option's letter from the given choices directly."


@dataclass(frozen=True, slots=True)
class Told:
    """An answer to a question about a film.

    Attributes:
        text: In words.
        found: Number of the clip that the answer rests on most; None if nothing tells.
    """

    text: str
    found: int | None


def read(chat: VideoChat, clips: Sequence[ClipTokens]) -> History:
    """Return a history of `clips`."""
    history = chat.open()
    for first in range(0, len(clips), 32):
        chat.extend(history, clips[first : first + 32])
    return history


def ask(chat: VideoChat, history: History, question: str) -> Told:
    """Return the greedy answer to `question`."""
    prefill = chat.ask(history, Question(question))
    assert prefill is not None
    evidence = chat.evidence(history, prefill)
    shares = [part.score for part in evidence]
    ends, text, words = chat.parts.ends | {chat.prompt.end}, TextStream(chat.prompt.tokenizer), ""
    for _ in range(LONGEST):
        token = int(prefill.reading.logits.argmax())
        if token in ends:
            break
        words += text.add(token)
        chat.reader.step([prefill.reading], [token])
    return Told(words.strip(), shares.index(max(shares)) if shares else None)


def likeliest_letter(
    chat: VideoChat, history: History, question: str, options: Sequence[str]
) -> str:
    """Return the letter of the options that would come first: how the published test scores."""
    prefill = chat.ask(history, Question(ASK_LETTER.format(question, listed(options, "{}. {}"))))
    assert prefill is not None
    letters = LETTERS[: len(options)]
    tokens = torch.tensor([chat.prompt.tokenizer.plain(letter)[0] for letter in letters])
    return letters[int(prefill.reading.logits[tokens].argmax())]
