"""Asks about clips: an answer in words, where it was found, and the published score of letters.

The published needle test writes nothing: it takes the likeliest of the four letters as the answer,
which is right more often than words are, and is shown beside them here.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import torch

from memory.local_store import LocalStore
from model.engine.contract import Engine
from model.language.sampling import TextStream
from model.types import GREEDY, ClipTokens, Question, Words
from model.video_chat import VideoChat
from stream.past.recall import Recall
from training.evaluations.letters import LETTERS, listed

LONGEST = 40
STREAM = "haystack"
_NUMBERS = count()
ASK_LETTER = "{}\n{}\nAnswer with the option's letter from the given choices directly."


@dataclass(frozen=True, slots=True)
class NeedleAnswer:
    """An answer to a question about a film.

    Attributes:
        text: In words.
        rests_on: Start and end of what the answer rests on most, in seconds; None if nothing tells.
    """

    text: str
    rests_on: tuple[float, float] | None

    def found(self, time: float) -> bool | None:
        """Say whether the answer rests on what was shown at `time`."""
        return None if self.rests_on is None else self.rests_on[0] <= time <= self.rests_on[1]


class Memory(Protocol):
    """A film that has been read, and can be asked about."""

    def ask(self, question: str) -> NeedleAnswer:
        """Return the greedy answer to `question`."""
        ...

    def letter(self, question: str, options: Sequence[str]) -> str | None:
        """Return the letter of the options that would come first: how the published test scores.

        None where it cannot be told.
        """
        ...


class ReadOnce:
    """The film in one history, nothing of it folded.

    Args:
        chat: The network.
        clips: The film.

    Raises:
        HistoryFull: If it is longer than a history reaches.
    """

    def __init__(self, chat: VideoChat, clips: Sequence[ClipTokens]) -> None:
        self._chat, self.history = chat, chat.open()
        for first in range(0, len(clips), 32):
            chat.extend(self.history, clips[first : first + 32])

    def ask(self, question: str) -> NeedleAnswer:
        """See `Memory.ask`."""
        chat, prefill = self._chat, self._chat.ask(self.history, Question(question))
        assert prefill is not None
        best = max(chat.evidence(prefill), key=lambda e: e.score, default=None)
        ends, words = chat.parts.ends | {chat.prompt.end}, ""
        text = TextStream(chat.prompt.tokenizer)
        for _ in range(LONGEST):
            token = int(prefill.reading.logits.argmax())
            if token in ends:
                break
            words += text.add(token)
            chat.reader.step([prefill.reading], [token])
        return NeedleAnswer(words.strip(), None if best is None else (best.start, best.end))

    def letter(self, question: str, options: Sequence[str]) -> str:
        """See `Memory.letter`."""
        chat = self._chat
        asked = Question(ASK_LETTER.format(question, listed(options, "{}. {}")))
        prefill = chat.ask(self.history, asked)
        assert prefill is not None
        letters = LETTERS[: len(options)]
        tokens = torch.tensor([chat.prompt.tokenizer.plain(letter)[0] for letter in letters])
        return letters[int(prefill.reading.logits[tokens].argmax())]


class Live:
    """The film as a service has it: in a store, folded where it is long, asked as a person asks.

    What is counted is counted, what was folded is looked at again (`stream/past/recall.py`).

    Args:
        engine: Which.
        clips: The film.
    """

    def __init__(self, engine: Engine, clips: Sequence[ClipTokens]) -> None:
        self._engine = engine
        self._stream = f"{STREAM}-{next(_NUMBERS)}"
        store = LocalStore(engine.encoder, exact=engine.exact_columns)
        asyncio.run(self._remember(store, clips))
        self._recall = Recall(self._stream, engine, store)

    def __del__(self) -> None:
        """Let the engine have its memory back."""
        asyncio.run(self._engine.forget(self._stream))

    def ask(self, question: str) -> NeedleAnswer:
        """See `Memory.ask`."""
        return asyncio.run(self._ask(Question(question, tokens=LONGEST, sampling=GREEDY)))

    def letter(self, _question: str, _options: Sequence[str]) -> None:
        """Return None: an engine writes answers, it does not show what it might have written."""

    async def _remember(self, store: LocalStore, clips: Sequence[ClipTokens]) -> None:
        await store.begin(self._stream, 0.0)
        for clip in clips:
            await store.append(self._stream, clip, b"")

    async def _ask(self, question: Question) -> NeedleAnswer:
        words, best = "", None
        async with aclosing(self._recall.ask(question)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Words):
                    words += piece.text
                else:
                    best = max(piece.evidence, key=lambda e: e.score, default=None)
        return NeedleAnswer(words.strip(), None if best is None else (best.start, best.end))
