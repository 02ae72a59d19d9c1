"""Charades-STA: when in a film something happens (https://arxiv.org/abs/1705.02101).

The published prompt holds the true span of the benchmark's first query as its example, queries that
stand there twice count once, and an answer that cannot be read is replaced by a span that is wrong.
`published` does the same; `strict` gives no numbers, and counts every query. Both have the mean IoU.
"""

from collections.abc import Sequence
from pathlib import Path

from training.errors import BadData
from training.evaluations.annotations import field, find, number, records, video
from training.evaluations.command import run_benchmark
from training.evaluations.items import Benchmark, Item, Media, Options, Verdict
from training.evaluations.spans import evidence_span, iou, published_span, said_spans

FORMAT = "Please find the visual event described by a sentence in the video, determining its starting and ending times. The format should be: 'The event happens in the start time - end time'. "  # fmt: skip
EXAMPLE = "For example, The event 'person turn a light on' happens in the 24.3 - 30.4 seonds. "
SENTENCE = (
    "Now I will give you the textual sentence: {}. Please return its start time and end time."
)
THRESHOLDS = (0.3, 0.5, 0.7)


def read(folder: Path, options: Options) -> list[Item]:
    """Return the queries; the films lie in `Charades_v1_480`.

    Raises:
        BadData: If the folder cannot be used.
    """
    file = find(folder, "*charades*.json", "json/*charades*.json", "*.json", "**/*.parquet")
    published = options.published
    items: dict[str, Item] = {}
    for place, record in enumerate(records(file)):
        where = f"record {place} of {file.name}"
        name, caption = str(field(record, where, "video")), str(field(record, where, "caption"))
        span = field(record, where, "timestamp")
        start, end = _span(span, where)
        key = f"{name}/{caption}/{span[0]}-{span[1]}"
        key = key if published else f"{place}/{key}"
        items[key] = Item(
            key=key,
            category="all",
            media=Media(
                video(
                    [folder / "Charades_v1_480", folder / "videos", folder / "films", folder], name
                )
            ),
            prompt=FORMAT + (EXAMPLE if published else "") + SENTENCE.format(caption),
            truth={"span": [start, end]},
            tokens=50,
        )
    return list(items.values())


def _span(said: object, where: str) -> tuple[float, float]:
    """Return a span of time.

    Raises:
        BadData: If it is none.
    """
    if not isinstance(said, list) or len(said) != 2:
        raise BadData(f"{where}: {said} is not a span of time")
    told = {"start": said[0], "end": said[1]}
    start, end = number(told, where, "start"), number(told, where, "end")
    if not start < end:
        raise BadData(f"{where}: {said} is not a span of time")
    return start, end


def score(item: Item, answer: str, options: Options) -> Verdict:
    """Return whether the span is right at each threshold, and how well it agrees."""
    true = (item.truth["span"][0], item.truth["span"][1])
    if options.published:
        said = published_span(answer) or (true[1] + 10, true[1] + 20)
    else:
        said = next(iter(said_spans(answer)), (0.0, 0.0))
    agreed = iou(said, true)
    return Verdict({f"R@{t}": float(agreed >= t) for t in THRESHOLDS} | {"mIoU": agreed})


def score_evidence(item: Item, evidence: Sequence[tuple[float, float, float]]) -> dict[str, float]:
    """Return how well the clips that the answer rests on agree, whatever it says."""
    found, (start, end) = evidence_span(evidence), item.truth["span"]
    return {"mIoU, evidence": iou(found, (start, end)) if found else 0.0}


CHARADES = Benchmark("charades", "Charades-STA", read, score, score_evidence=score_evidence)

if __name__ == "__main__":
    run_benchmark(CHARADES)
