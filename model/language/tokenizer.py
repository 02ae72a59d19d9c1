"""Text to tokens and back.

What a user types is always read as plain text: `<|im_end|>` in a question is ten characters, not
the end of a turn. Tokens turn into bytes, not text, since a character may be spread over several;
`model/language/sampling.py` puts them together.
"""

import json
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

from tokenizers import Tokenizer as BpeTokenizer
from tokenizers import pre_tokenizers

from model.errors import ModelUnavailable

BEGIN, END = "<|im_start|>", "<|im_end|>"
"""Around every turn of a conversation, in the models that we know."""


@runtime_checkable
class Tokenizer(Protocol):
    """The tokens of a language model."""

    def plain(self, text: str) -> list[int]:
        """Return the tokens of `text`; names of special tokens in it are ordinary text."""
        ...

    def special(self, name: str) -> int:
        """Return a special token.

        Raises:
            ModelUnavailable: If there is none of that name.
        """
        ...

    def piece(self, token: int) -> bytes:
        """Return what `token` adds to the text; nothing, if it is special."""
        ...


class HubTokenizer:
    """A byte-level BPE vocabulary read from a `tokenizer.json` (Qwen2's, SmolLM2's).

    Args:
        path: The file.

    Raises:
        ModelUnavailable: If it is missing, damaged or of another kind.
    """

    def __init__(self, path: Path) -> None:
        try:
            kind = json.loads(path.read_text(encoding="utf-8"))["model"]["type"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            raise ModelUnavailable(f"{path.name} cannot be read as a tokenizer") from error
        if kind != "BPE":
            raise ModelUnavailable(f"{path.name} is a {kind} tokenizer; byte-level BPE is known")
        try:
            self._tokenizer = BpeTokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing more exact
            raise ModelUnavailable(f"{path.name} is damaged: {error}") from error
        self._tokenizer.encode_special_tokens = True
        self._specials = {
            number: token.special
            for number, token in self._tokenizer.get_added_tokens_decoder().items()
        }

    def plain(self, text: str) -> list[int]:
        """See `Tokenizer.plain`."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def special(self, name: str) -> int:
        """See `Tokenizer.special`.

        Raises:
            ModelUnavailable: If there is none of that name.
        """
        token: int | None = self._tokenizer.token_to_id(name)
        if token is None:
            raise ModelUnavailable(f"the tokenizer has no special token {name}")
        return token

    def piece(self, token: int) -> bytes:
        """See `Tokenizer.piece`."""
        if self._specials.get(token, False):
            return b""
        text: str | None = self._tokenizer.id_to_token(token)
        if text is None:
            # Embeddings are padded beyond the vocabulary; such a row spells nothing.
            return b""
        if token in self._specials:
            return text.encode()
        return bytes(self._bytes[character] for character in text)

    @cached_property
    def _bytes(self) -> dict[str, int]:
        return _byte_alphabet()


class ByteTokenizer:
    """One token for every byte, and the two special ones: for networks of random weights."""

    SIZE = 258

    def plain(self, text: str) -> list[int]:
        """See `Tokenizer.plain`."""
        return list(text.encode())

    def special(self, name: str) -> int:
        """See `Tokenizer.special`."""
        return {BEGIN: 256, END: 257}[name]

    def piece(self, token: int) -> bytes:
        """See `Tokenizer.piece`."""
        return bytes([token]) if token < 256 else b""


def _byte_alphabet() -> dict[str, int]:
    """Return the byte that each character of a byte-level BPE token stands for.

    Printable bytes of Latin-1 stand for themselves; the others follow from U+0100 on, in order.
    Source: the GPT-2 tokenizer.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    table = {chr(byte): byte for byte in printable}
    table |= {chr(0x100 + order): byte for order, byte in enumerate(others)}
    assert set(table) == set(pre_tokenizers.ByteLevel.alphabet())
    return table
