"""A benchmark from its folder to its figures: looked at once, asked in time, gone on with later."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from tests.stream.fakes import FakeEngine
from tests.training import published
from training.errors import BadData
from training.evaluations.answers import AnswerFile, TimedAnswer, read_answers
from training.evaluations.command import command
from training.evaluations.items import Options, Scoring
from training.evaluations.published import charades, mvbench, ovobench, streamingbench
from training.evaluations.runner import EvaluationRun, ask_all, shard
from training.evaluations.summary import summarise
from web.settings import Settings


class YesEngine(FakeEngine):
    """Says yes once its history reaches `yes_at`; keeps what it was asked."""

    def __init__(self, yes_at=float("inf")):
        super().__init__()
        self.yes_at = yes_at
        self.asked = []

    async def answer(self, past, question):
        await self.prepare(past)
        ends = [clip.end for clip in self.histories.held.get(past.name, [])]
        self.asked.append((question, ends))
        async for piece in super().answer(past, question):
            if ends[-1] >= self.yes_at and hasattr(piece, "text"):
                piece = type(piece)("Yes ")
            yield piece


async def run(benchmark, folder, options=Options(), engine=None, known=None):  # noqa: B008
    items = await asyncio.to_thread(benchmark.read, folder, options)
    engine, found = engine or YesEngine(), []
    how = EvaluationRun(engine, Settings(), benchmark, options, 16)
    await ask_all(how, items, known or {}, found.append)
    return engine, items, found


async def test_a_film_is_looked_at_once_and_only_the_part_that_counts(tmp_path):
    folder = await asyncio.to_thread(published.mvbench, tmp_path)
    engine, items, found = await run(mvbench.MVBENCH, folder)
    assert [one.key for one in found] == [items[2].key, items[0].key, items[1].key]
    assert not any(one.error for one in found)
    star = engine.encoded[found[0].clips :]
    assert len(star) >= 2
    assert all(clip.start >= 2.0 and clip.end <= 4.0 for clip in star)
    assert engine.asked[1][0].duration == pytest.approx(2.0)


async def test_a_part_that_only_begins_somewhere_goes_on_to_the_end(tmp_path):
    folder = await asyncio.to_thread(published.mvbench, tmp_path)
    file = folder / "json/action_sequence.json"
    record = json.loads(await asyncio.to_thread(file.read_text))[0]
    await asyncio.to_thread(published.write, file, [record | {"start": 4.0, "end": None}])
    engine, _, [_, part] = await run(mvbench.MVBENCH, folder)
    assert not part.error
    assert engine.asked[1][0].duration == pytest.approx(2.0, abs=0.3)
    assert all(clip.start >= 4.0 for clip in engine.encoded[-part.clips :])


async def test_what_is_answered_already_is_not_asked_again(tmp_path):
    folder = await asyncio.to_thread(published.mvbench, tmp_path)
    known = {"action_sequence/0": TimedAnswer("action_sequence/0", "A", "?")}
    engine, _, found = await run(mvbench.MVBENCH, folder, known=known)
    assert len(found) == len(engine.asked) == 2


async def test_a_stream_has_shown_nothing_that_comes_after_the_question(tmp_path):
    folder = await asyncio.to_thread(published.streamingbench, tmp_path)
    engine, _, found = await run(streamingbench.STREAMINGBENCH, folder)
    (first, seen), (second, later) = engine.asked
    assert seen[-1] <= 2.0 < later[-1] <= 5.0
    assert (first.since, second.since) == (0.0, 0.0)
    assert all(one.watched_ms is not None for one in found)


async def test_a_stream_is_asked_every_second_until_it_says_yes(tmp_path):
    folder = await asyncio.to_thread(published.streamingbench, tmp_path)
    options = Options(Scoring.strict, split="proactive")
    engine, [item], [told] = await run(
        streamingbench.STREAMINGBENCH, folder, options, YesEngine(3.5)
    )
    assert told.answer == "4 s: Yes Yes"
    assert len(engine.asked) == 3  # after 2, 3 and 4 seconds
    assert streamingbench.score(item, told.answer, options).scores == {"accuracy": 1.0}


async def test_grounding_is_scored_by_what_answers_rest_on_as_well(tmp_path):
    folder = await asyncio.to_thread(published.charades, tmp_path)
    _, items, found = await run(charades.CHARADES, folder)
    assert len(found[0].evidence) == found[0].clips
    kept = {one.key: one for one in found}
    measures = summarise(charades.CHARADES, Options(), items, kept)["measures"]
    assert set(measures) == {"R@0.3", "R@0.5", "R@0.7", "mIoU", "mIoU, evidence"}


async def test_a_film_that_cannot_be_read_is_told_and_the_others_are_asked(tmp_path):
    folder = await asyncio.to_thread(published.ovobench, tmp_path)
    await asyncio.to_thread((folder / "chunked_videos/2_0.mp4").write_text, "no film")
    _, _, found = await run(ovobench.OVOBENCH, folder, Options(split="forward"))
    broken = [one.key for one in found if one.error]
    assert (broken, len(found)) == (["2_0"], 4)


async def test_films_stay_together_in_a_shard(tmp_path):
    folder = await asyncio.to_thread(published.mvbench, tmp_path)
    items = mvbench.read(folder, Options())
    parts = [shard(items, number, 2) for number in (1, 2)]
    assert [[item.key for item in part] for part in parts] == [
        ["action_sequence/0", "action_sequence/1"],
        ["moving_count/0"],
    ]


def test_answers_survive_a_crash_in_the_middle_of_a_line_and_are_of_one_run(tmp_path):
    path = tmp_path / "answers.jsonl"
    file = AnswerFile(path, {"model": "tiny"}, resume=False)
    file.add(TimedAnswer("a", "A", "?"))
    with path.open("a") as opened:
        opened.write('{"key": "b", "ans')
    again = AnswerFile(path, {"model": "tiny"}, resume=True)
    assert list(again.answers) == ["a"]
    again.add(TimedAnswer("b", "B", "?"))
    assert list(read_answers(path)[1]) == ["a", "b"]
    with pytest.raises(BadData, match="--resume"):
        AnswerFile(path, {"model": "tiny"}, resume=False)
    with pytest.raises(BadData, match="model = 'tiny', not 'lite'"):
        AnswerFile(path, {"model": "lite"}, resume=True)


def test_the_command_goes_on_where_it_stopped_and_ends_in_one_line_of_json(tmp_path):
    data, out = published.mvbench(tmp_path / "data"), tmp_path / "out"
    options = ["--data", str(data), "--model", "tiny", "--output", str(out), "--frames", "8"]

    def evaluate(*more):
        return CliRunner().invoke(command(mvbench.MVBENCH), [*options, *more])

    assert evaluate("--shard", "1/2").exit_code == 0
    whole = evaluate("--shard", "2/2", "--json")
    result = json.loads(whole.stdout)
    assert (result["items"], result["answered"], result["not_counted"]) == (3, 3, 1)
    assert set(result["measures"]["accuracy"]["categories"]) == {"action_sequence", "moving_count"}
    assert json.loads((out / "result.json").read_text()) == result
    assert "| moving_count | 1 | 1 |" in (out / "result.md").read_text()
    assert "--resume" in str(evaluate("--shard", "2/2").exception)
    again = evaluate("--shard", "2/2", "--resume", "--json")
    assert json.loads(again.stdout)["measures"] == result["measures"]


def test_a_film_that_is_missing_is_left_out_only_on_request(tmp_path):
    data = published.mvbench(tmp_path / "data")
    (data / "video/clevrer/video_validation/v.mp4").unlink()
    options = ["--data", str(data), "--model", "tiny", "--output", str(tmp_path / "out")]
    refused = CliRunner().invoke(command(mvbench.MVBENCH), options)
    assert "1 of 3 items have no film" in str(refused.exception)
    done = CliRunner().invoke(command(mvbench.MVBENCH), [*options, "--skip-missing", "--json", "--frames", "8"])  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1])["items"] == 2
