"""Scores of multiple-choice questions, which most benchmarks consist of."""

from collections.abc import Callable, Sequence

from training.errors import BadData
from training.evaluations.items import Item, Options, Verdict
from training.evaluations.letters import LETTERS, exact

Reader = Callable[[str, Item], str]
ACCURACY = "accuracy"


def truth(options: Sequence[str], right: int | None) -> dict[str, object]:
    """Return what the scorer needs to know of a question: its options, and the right one.

    Some published questions have a right answer that is none of their options: None.
    """
    return {"options": list(options), "letter": "" if right is None else LETTERS[right]}


def place(options: Sequence[str], answer: str) -> int | None:
    """Return which option `answer` is, word by word; None if it is none."""
    return options.index(answer) if answer in options else None


def lettered(options: Sequence[str], letter: object, where: str) -> int:
    """Return which option a letter is: `B`, `(B)` or `b.`.

    Raises:
        BadData: If it is none.
    """
    plain = str(letter).strip("(). ").upper()
    found = LETTERS.find(plain) if len(plain) == 1 else -1
    return numbered(options, found, where, said=letter)


def numbered(
    options: Sequence[str], number: float, where: str, *, said: object | None = None
) -> int:
    """Return which option a number from 0 is.

    Args:
        options: Of the question.
        number: From 0.
        where: What an error begins with.
        said: How it was written, if otherwise.

    Raises:
        BadData: If it is none.
    """
    if not (0 <= number < len(options) and number == int(number)):
        told = number if said is None else repr(said)
        raise BadData(f"{where}: the answer {told} is none of {list(options)}")
    return int(number)


def choice_scorer(
    published: Reader, *, passes_over_empty: bool = False
) -> Callable[[Item, str, Options], Verdict]:
    """Return what scores a question with lettered options.

    Args:
        published: The letter that the public harness reads in an answer.
        passes_over_empty: Whether that harness leaves empty answers out of the count.
    """

    def score(item: Item, answer: str, options: Options) -> Verdict:
        if options.published:
            read = published(answer, item)
            counted = bool(answer) or not passes_over_empty
        else:
            # Without a right option there is nothing to be right about; harnesses count it wrong.
            read, counted = exact(answer, item.truth["options"]), bool(item.truth["letter"])
        return Verdict({ACCURACY: float(read != "" and read == item.truth["letter"])}, counted)

    return score
