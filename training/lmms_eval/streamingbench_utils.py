"""StreamingBench for lmms-eval: what is shown, what is asked, and when an answer is right.

It lies beside the task's YAML as `utils.py`, and needs nothing but PyAV.
"""

import hashlib
import re
import tempfile
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

Doc = Mapping[str, Any]
RATE = 4
"""Frames a second of what is cut out of a film."""


def doc_to_text(doc: Doc, lmms_eval_specific_kwargs: Mapping[str, Any] | None = None) -> str:
    """Return the prompt."""
    return str(doc["prompt"])


def doc_to_visual(
    doc: Doc, lmms_eval_specific_kwargs: Mapping[str, Any] | None = None
) -> list[Any]:
    """Return the film with the moment of the question, or what of it comes just before."""
    if (lmms_eval_specific_kwargs or {}).get("as_stream"):
        return [doc["video"], {"moment": doc["at"], "context": doc["context"]}]
    start = max(0.0, doc["at"] - (doc["context"] or doc["at"]))
    return [str(cut(Path(doc["video"]), start, doc["at"]))]


def process_results(doc: Doc, results: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return whether the first letter is the right one; no answer is wrong, as any other."""
    right = results[0].strip()[:1].upper() == doc["letter"]
    return {"streamingbench_accuracy": {"task_type": doc["task_type"], "right": float(right)}}


def rounds_doc_to_text(
    doc: Doc,
    lmms_eval_specific_kwargs: Mapping[str, Any] | None = None,
    previous_output: Sequence[str] | None = None,
    round_idx: int | None = None,
    previous_round_info: object = None,
) -> Any:  # noqa: ANN401 - a prompt, or lmms-eval's five things
    """Return the first prompt; of a later round what is shown, its prompt, and whether there is none."""
    if round_idx is None:
        return _question(doc, ())
    answers = list(previous_output or ())
    as_stream = bool((lmms_eval_specific_kwargs or {}).get("as_stream"))
    if _is_over(doc, answers, as_stream):
        return None, None, True, answers, None
    return _shown(doc, len(answers), as_stream), _question(doc, answers), False, answers, None


def rounds_doc_to_visual(
    doc: Doc, lmms_eval_specific_kwargs: Mapping[str, Any] | None = None
) -> list[Any]:
    """Return what is shown in the first round."""
    return _shown(doc, 0, bool((lmms_eval_specific_kwargs or {}).get("as_stream")))


def rounds_process_results(doc: Doc, results: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return how many of a sequence are right; or whether a moment was told in time."""
    answers = results[0] if results and not isinstance(results[0], str) else results
    if "rounds" in doc:
        each = [
            process_results(one, [answer])["streamingbench_accuracy"]["right"]
            for one, answer in zip(doc["rounds"], answers, strict=True)
        ]
        return {"streamingbench_accuracy": {"task_type": doc["rounds"][0]["task_type"], "right": sum(each), "of": len(each)}}  # fmt: skip
    told = _told_at(doc, answers)
    right = told is not None and abs(told - float(doc["truth"])) <= doc["near"]
    return {"streamingbench_accuracy": {"task_type": doc["task_type"], "right": float(right)}}


def _question(doc: Doc, answers: Sequence[str]) -> str:
    """Return the prompt after `answers`; a sequence tells them with their questions."""
    if "rounds" not in doc:
        return str(doc["prompt"])
    told = "".join(
        one["as_earlier"].replace("{said}", answer)
        for one, answer in zip(doc["rounds"], answers, strict=False)
    )
    prompt = str(doc["rounds"][len(answers)]["prompt"])
    return prompt.replace("{earlier}", doc["earlier"] + told if told else "")


def _shown(doc: Doc, number: int, as_stream: bool) -> list[Any]:
    """Return what is shown in the round of that number, from 0."""
    if "rounds" in doc:
        return doc_to_visual(doc["rounds"][number], {"as_stream": as_stream})
    if as_stream:
        return [doc["video"], {"moment": doc["at"], "context": doc["context"], "until": doc["until"]}]  # fmt: skip
    return [str(cut(Path(doc["video"]), doc["since"], _moment(doc, number)))]


def _is_over(doc: Doc, answers: Sequence[str], as_stream: bool) -> bool:
    """Say whether no round is left: all is asked; or it was told, or is too late to tell."""
    if "rounds" in doc:
        return len(answers) == len(doc["rounds"])
    return as_stream or _says_yes(answers[-1]) or _moment(doc, len(answers)) > doc["until"]


def _moment(doc: Doc, number: int) -> float:
    """Return when a question that is asked again is asked in the round of that number, from 0."""
    return float(doc["at"]) + (number + 1) * float(doc["every"])


def _told_at(doc: Doc, answers: Sequence[str]) -> float | None:
    """Return the moment at which it was told: by a stream, "12 s: yes", or in the round that says yes."""
    if answers and (at := re.match(r"([\d.]+) s: ", answers[0])):
        return float(at[1])
    return next((_moment(doc, n) for n, said in enumerate(answers) if _says_yes(said)), None)


def _says_yes(answer: str) -> bool:
    return re.match(r"\W*yes\b", answer.lower()) is not None


def accuracy(results: Sequence[Mapping[str, Any]]) -> float:
    """Return the share of questions that are answered rightly, in percent."""
    right: float = sum(one["right"] for one in results)
    questions: int = sum(one.get("of", 1) for one in results)
    return 100 * right / max(1, questions)


def cut(film: Path, start: float, end: float) -> Path:
    """Return a file of what `film` shows from `start` to `end`; cut once, and kept."""
    name = hashlib.sha256(f"{film} {start} {end}".encode()).hexdigest()[:24]
    target = Path(tempfile.gettempdir()) / "streamingbench" / f"{name}.mp4"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial.mp4")
    with av.open(str(film)) as source, av.open(str(partial), "w") as out:
        video = source.streams.video[0]
        stream = out.add_stream("mpeg4", rate=RATE, bit_rate=4_000_000)
        stream.width, stream.height = video.width // 2 * 2, video.height // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        source.seek(int(start * av.time_base))
        due = start
        for frame in source.decode(video):
            if frame.time is None or frame.time < due:
                continue
            if frame.time > end:
                break
            due += 1 / RATE
            plain = frame.reformat(stream.width, stream.height, "yuv420p")
            plain.pts, plain.time_base = round((frame.time - start) * 1000), Fraction(1, 1000)
            out.mux(stream.encode(plain))
        out.mux(stream.encode())
    return partial.replace(target)
