"""Ask the demo every question that it suggests, at several ages of its stream: `flashback eval demo`.

`flashback demo` runs in a process of its own and plays its sample live; suggestions come over HTTP and
answers over the WebSocket, as on the page. What is right is in `web/sample/sample.json`.
"""

import asyncio
import json
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.harness.asking import NoAnswer, ask
from benchmarks.harness.service import CannotMeasure, Service, running
from training.command import run_command
from training.sample_stream.sample_truth import SampleTruth
from training.train import commit

STREAM = "sample"
AGES = "15,45,80,115,160,220"
POLL = 0.25

console = Console(stderr=True, highlight=False)
app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class DemoAnswer:
    """A suggested question and what was answered.

    Attributes:
        age: How long the sample had been playing, in seconds.
        kind: What it asks for.
        thing: What it is about.
        question: In words.
        answer: In words; empty if there was none.
        right: Whether it is right.
    """

    age: float
    kind: str
    thing: str | None
    question: str
    answer: str
    right: bool


@app.command()
def evaluate(
    model: Annotated[
        str, typer.Option(help="lite, tiny, flash-2b, …, a folder or a hub id.")
    ] = "lite",
    ages: Annotated[
        str, typer.Option(metavar="SECONDS,…", help="Ages of the stream to ask at.")
    ] = AGES,
    only_json: Annotated[
        bool, typer.Option("--json", help="Print the line of JSON alone.")
    ] = False,
) -> None:
    """Ask what the demo suggests as its sample plays; every answer, then one line of JSON."""
    answers = asyncio.run(_measure(model, _ages(ages)))
    out = Console(soft_wrap=True, highlight=False)
    for one in answers if not only_json else ():
        mark = "right" if one.right else "WRONG"
        out.print(f"{mark} | {one.age:.0f} s | {one.question} | {one.answer}", markup=False)
    asked = Counter(one.kind for one in answers)
    right = Counter(one.kind for one in answers if one.right)
    summary = {
        "eval": "demo",
        "model": model,
        "commit": commit(),
        "asked": len(answers),
        "right": right.total(),
        "about_things": sum(one.thing is not None for one in answers),
        "kinds": {kind: {"asked": asked[kind], "right": right[kind]} for kind in sorted(asked)},
        "wrong": [asdict(one) for one in answers if not one.right],
    }
    out.print(json.dumps(summary), markup=False)


def _ages(text: str) -> list[float]:
    """Return the ages to ask at, youngest first.

    Raises:
        BadParameter: If one is not a number above 0.
    """
    try:
        ages = sorted(float(age) for age in text.split(","))
    except ValueError:
        ages = []
    if not ages or not 0 < ages[0] <= ages[-1] < float("inf"):
        raise typer.BadParameter(f"{text!r} is not a list of seconds above 0, such as {AGES}")
    return ages


async def _measure(model: str, ages: list[float]) -> list[DemoAnswer]:
    truth, answers = SampleTruth(), list[DemoAnswer]()
    async with running("web.cli", ["demo", "--model", model]) as service:
        began = await _began(service)
        for age in ages:
            await asyncio.sleep(max(0.0, began + age - time.time()))
            for suggestion in (await service.get(f"/v1/streams/{STREAM}/suggestions"))[
                "suggestions"
            ]:
                answered = await _ask(service, truth, suggestion, began)
                console.print(
                    f"{answered.age:.0f} s: {answered.question} {answered.answer}", markup=False
                )
                answers.append(answered)
    return answers


async def _began(service: Service) -> float:
    """Return when the sample began to play, in Unix seconds: its first clip begins with it."""
    while True:
        if await service.answers(f"/v1/streams/{STREAM}"):
            stream = await service.get(f"/v1/streams/{STREAM}")
            moments = (await service.get(f"/v1/streams/{STREAM}/moments"))["moments"]
            if moments:
                return float(stream["began"] + moments[0]["start"])
        await asyncio.sleep(POLL)


async def _ask(
    service: Service, truth: SampleTruth, suggestion: dict[str, str], began: float
) -> DemoAnswer:
    at = time.time() - began
    try:
        answer = (await ask(service.address, STREAM, suggestion["text"])).text.strip()
    except NoAnswer as none:
        console.print(str(none), style="red", markup=False)
        answer = ""
    kind, thing = suggestion["kind"], suggestion["thing"]
    right = truth.is_right(kind, thing, answer, at)
    return DemoAnswer(round(at, 1), kind, thing, suggestion["text"], answer, right)


if __name__ == "__main__":
    run_command(app, "flashback eval demo", (CannotMeasure,))
