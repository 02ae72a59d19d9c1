"""StreamingBench for lmms-eval: what is shown, what is asked, and when an answer is right.

It lies beside the task's YAML as `utils.py`, and needs nothing but PyAV.
"""

import hashlib
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


def accuracy(results: Sequence[Mapping[str, Any]]) -> float:
    """Return the share of questions that are answered rightly, in percent."""
    right: float = sum(one["right"] for one in results)
    return 100 * right / max(1, len(results))


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
