"""What a model answers while it is trained, for people to read beside the loss.

It is asked as in service, word by word, and not scored.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from model.config import DropoutConfig
from model.language.dropout import Tokens
from model.language.prompt import Prompt
from model.reading import PromptReader
from training.finetune.examples import Example
from training.finetune.passes import answers
from training.finetune.tuner import Tuner

TOKENS = 48
"""Of an answer, at most."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A question of the training data, its answer, and what the model says.

    Attributes:
        step: After which it was asked.
        question: Of the user.
        expected: The answer in the data.
        said: By the model.
    """

    step: int
    question: str
    expected: str
    said: str


@torch.no_grad()
def answer(tuner: Tuner, example: Example, prompt: Prompt) -> str:
    """Return what the model answers to the first question of `example`."""
    begin, _ = next(answers(example))
    dropout = tuner.config.dropout if tuner.drops else DropoutConfig()
    vision, stop = tuner.config.vision, begin + 1
    reader = PromptReader(tuner.decoder, dropout, vision.tokens_per_clip, tuner.config.visual_step)
    hidden = tuner.see([example])[:stop]
    reading = reader.read(Tokens(hidden, example.clip[:stop], example.place[:stop]))
    said = b""
    for _ in range(TOKENS):
        token = int(reading.logits.argmax())
        if token == prompt.end:
            break
        said += prompt.tokenizer.piece(token)
        reader.step([reading], [token])
    return said.decode(errors="replace")


def keep(sample: Sample, file: Path) -> None:
    """Add `sample` to a file of JSON lines, in place of those of later steps."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    lines = [line for line in lines if json.loads(line)["step"] < sample.step]
    lines.append(json.dumps(asdict(sample), ensure_ascii=False))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
