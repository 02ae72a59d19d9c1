"""Captions of a film, span after span."""

import asyncio
import json

from tests.stream.videos import write_video
from web.cli.source.caption import Caption, merged, run_caption, spans
from web.settings import Settings


def test_spans_reach_to_the_end_and_the_last_may_be_shorter():
    assert list(spans(0.0, 12.0, 5.0)) == [(0.0, 5.0), (5.0, 10.0), (10.0, 12.0)]
    assert list(spans(2.0, 2.0, 5.0)) == []


def test_neighbours_that_say_the_same_become_one():
    said = [Caption(0, 5, "A dog."), Caption(5, 10, "A dog."), Caption(15, 20, "A dog."), Caption(20, 25, "A cat.")]  # fmt: skip
    assert merged(said) == [Caption(0, 10, "A dog."), Caption(15, 20, "A dog."), Caption(20, 25, "A cat.")]  # fmt: skip


async def test_every_span_of_a_film_is_described(tmp_path, capsys):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=12, rate=6)
    settings = Settings(model="tiny")
    how = {"every": 5.0, "last": None, "question": "What?", "as_json": True}
    await asyncio.to_thread(run_caption, settings, str(film), **how)
    captions = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert captions[0]["start"] == 0.0
    assert captions[-1]["end"] > 11
    assert all(one["text"] for one in captions)
