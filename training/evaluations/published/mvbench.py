"""MVBench: 20 tasks of 200 questions about short films (https://arxiv.org/abs/2311.17005).

The media are published in two layouts. In one the films of some tasks are cut already; in the other
(VideoChat-Flash's) they are whole, and `start` and `end` of a question say what to look at. The two
are not interchangeable, so which one it is decides whether those fields are followed.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from training.errors import BadData
from training.evaluations.annotations import Record, field, find, number, records, texts, video
from training.evaluations.choices import choice_scorer, place, truth
from training.evaluations.command import run_benchmark
from training.evaluations.items import Benchmark, Item, Media, Options
from training.evaluations.letters import anywhere, listed

WHOLE, CUT = False, True
_CLEVRER = (("clevrer/video_validation", WHOLE),)
_PERCEPTION = (("perception/videos", WHOLE),)
_STAR = (("star/Charades_segment", CUT), ("star/Charades_v1_480", WHOLE))
PLACES: Mapping[str, Sequence[tuple[str, bool]]] = {
    "action_sequence": _STAR,
    "action_prediction": _STAR,
    "action_antonym": (("ssv2_video_mp4", WHOLE), ("ssv2_video", WHOLE), ("ssv2-video", WHOLE)),
    "fine_grained_action": (("Moments_in_Time_Raw/videos", WHOLE),),
    "unexpected_action": (("FunQA_test/test", WHOLE), ("funqa-test/test", WHOLE)),
    "object_existence": _CLEVRER,
    "object_interaction": _STAR,
    "object_shuffle": _PERCEPTION,
    "moving_direction": _CLEVRER,
    "action_localization": (("sta/sta_video_segment", CUT), ("sta/sta_video", WHOLE)),
    "scene_transition": (("scene_qa/video", WHOLE), ("scene-qa/video", WHOLE)),
    "action_count": _PERCEPTION,
    "moving_count": _CLEVRER,
    "moving_attribute": _CLEVRER,
    "state_change": _PERCEPTION,
    "fine_grained_pose": (("nturgbd_convert", WHOLE), ("nturgbd", WHOLE)),
    "character_order": _PERCEPTION,
    "egocentric_navigation": (("vlnqa", WHOLE),),
    "episodic_reasoning": (("tvqa/video_fps3_hq_segment", CUT), ("tvqa/frames_fps3_hq", WHOLE)),
    "counterfactual_inference": _CLEVRER,
}
"""Where the media of each task may lie, and whether they are cut to what is asked about."""

ASK = "\nOnly give the best option."


def read(folder: Path, _options: Options) -> list[Item]:
    """Return the questions of the tasks whose annotations (`TASK.json`) are in `folder`.

    Raises:
        BadData: If there are none, or one cannot be used.
    """
    annotations = find(folder, "json", "*_sequence.json", "*.json")
    annotations = annotations if annotations.is_dir() else annotations.parent
    items = [
        item
        for task in PLACES
        if (file := annotations / f"{task}.json").is_file()
        for item in _task(folder, task, records(file))
    ]
    if not items:
        raise BadData(f"{annotations} holds none of {', '.join(PLACES)}, each as TASK.json")
    return items


def _task(folder: Path, task: str, found: list[Record]) -> Iterator[Item]:
    places, cut = _places(folder, task)
    for n, record in enumerate(found):
        where = f"record {n} of {task}"
        options, answer = texts(record, where, "candidates"), str(field(record, where, "answer"))
        path = video(places, str(field(record, where, "video")))
        span = (
            (None, None)
            if cut
            else (_optional(record, where, "start"), _optional(record, where, "end"))
        )
        yield Item(
            key=f"{task}/{n}",
            category=task,
            media=Media(path, *span, rate=_optional(record, where, "fps") or 3.0),
            prompt=f"Question: {field(record, where, 'question')}\nOption:\n{listed(options)}\n{ASK}",
            truth=truth(options, place(options, answer)),
        )


def _optional(record: Record, where: str, name: str) -> float | None:
    return None if record.get(name) is None else number(record, where, name)


def _places(folder: Path, task: str) -> tuple[list[Path], bool]:
    """Return the folders that may hold the films of `task`, and whether they are cut."""
    roots = [folder, folder / "video", folder / "videos", folder / "data0613"]
    possible = [(root / name, cut) for name, cut in PLACES[task] for root in roots]
    there = [(path, cut) for path, cut in possible if path.is_dir()] or possible[:1]
    return [path for path, cut in there if cut == there[0][1]], there[0][1]


MVBENCH = Benchmark(
    "mvbench",
    "MVBench",
    read,
    choice_scorer(lambda answer, _: anywhere(answer), passes_over_empty=True),
    average="categories",
)

if __name__ == "__main__":
    run_benchmark(MVBENCH)
