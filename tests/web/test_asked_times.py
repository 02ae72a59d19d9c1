"""Words of time on the way of a question: over the WebSocket and by `flashback ask`."""

import json
from dataclasses import replace
from datetime import datetime

import pytest
import typer

from stream.pull.errors import AT_ITS_END
from tests.stream.videos import write_video
from tests.web.conftest import echo_service
from web.cli.commands import _media_seconds
from web.cli.source.ask import SourcePart, lost_clips, run_ask
from web.cli.source.watch import not_seen
from web.errors import Failed
from web.services import CLOCKS
from web.settings import Settings

BEGAN = 1764230400.0  # 2025-11-27, 08:00:00 UTC
AN_HOUR_LATER = replace(CLOCKS, wall=lambda: BEGAN + 3600)
TINY = Settings(model="tiny")


async def remember(service, clips):
    await service.store.begin("cam", BEGAN)
    await service.remember(clips=clips)


async def asked(talk, text, **response):
    await talk.add(text)
    await talk.say({"type": "response.create", "response": response})
    await talk.hear("response.created")
    return await talk.until_done()


async def test_a_question_about_one_moment_is_answered_from_its_clip(service):
    await service.remember(clips=6)
    async with service.talk() as talk:
        text, response = await asked(talk, "What was shown at 10 seconds?")
    assert text == "What was shown? "
    assert [part["start"] for part in response["evidence"]] == [8.0]
    time = response["time"]
    assert (time["words"], time["since"], time["until"]) == ("at 10 seconds", 10, 10)
    assert time["question"] == "What was shown?"


async def test_a_range_that_the_client_gives_counts_and_not_words(service):
    await service.remember(clips=6)
    async with service.talk() as talk:
        text, response = await asked(talk, "What was shown at 10 seconds?", since=0)
    assert text == "What was shown at 10 seconds? "
    assert len(response["evidence"]) == 6
    assert response["time"] is None


async def test_times_of_day_are_those_of_the_clients_zone():
    async with echo_service(clocks=AN_HOUR_LATER) as service:
        await remember(service, 6)
        async with service.talk() as talk:
            session = {"timezone": "Asia/Tokyo"}
            await talk.say({"type": "session.update", "session": session})
            assert (await talk.hear("session.updated"))["session"]["timezone"] == "Asia/Tokyo"
            _, response = await asked(talk, "Who came since 17:00:12?")
    time = response["time"]
    assert (time["since"], time["until"]) == (12, None)
    assert (time["since_clock"], time["until_clock"]) == ("2025-11-27T17:00:12+09:00", None)
    clocks = [part["clock"][11:] for part in response["evidence"]]
    assert clocks == ["17:00:12+09:00", "17:00:16+09:00", "17:00:20+09:00"]


async def test_an_answer_says_times_by_the_clock_of_who_said_where_they_are():
    async with echo_service(clocks=AN_HOUR_LATER) as service:
        await remember(service, 1)
        async with service.talk() as talk:
            text, _ = await asked(talk, "Say at 3 seconds", since=0)
            assert text == "Say at 3 seconds "
            await talk.say({"type": "session.update", "session": {"timezone": "Asia/Tokyo"}})
            await talk.hear("session.updated")
            text, response = await asked(talk, "Say at 3 seconds", since=0)
    assert text == response["output"][0]["content"][0]["text"] == "Say at 17:00:03 "


async def test_evidence_has_the_services_own_clock_without_a_zone():
    async with echo_service(clocks=AN_HOUR_LATER) as service:
        await remember(service, 1)
        async with service.talk() as talk:
            _, response = await asked(talk, "What do you see?")
    [part] = response["evidence"]
    assert datetime.fromisoformat(part["clock"]).timestamp() == BEGAN


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "Europe", ""])
async def test_a_zone_that_is_none_is_refused(service, zone):
    async with service.talk() as talk:
        await talk.say({"type": "session.update", "session": {"timezone": zone}})
        error = await talk.refusal()
    assert (error["code"], error["param"]) == ("invalid_value", "session.timezone")


async def test_a_time_of_which_nothing_is_remembered_is_refused_in_its_own_words():
    async with echo_service(clocks=AN_HOUR_LATER) as service:
        await remember(service, 2)
        async with service.talk() as talk:
            await talk.say({"type": "session.update", "session": {"timezone": "UTC"}})
            await talk.hear("session.updated")
            await talk.ask("Who came yesterday?")
            error = await talk.refusal()
            _, response = await talk.until_done()
    assert error["code"] == "nothing_seen"
    assert error["message"] == (
        "Nothing was seen “yesterday” (2025-11-26 00:00:00 to 2025-11-27 00:00:00); what is remembered "
        "of this stream goes from 2025-11-27 08:00:00 to 2025-11-27 08:00:07."
    )
    assert response["time"]["words"] == "yesterday"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("films") / "film.mp4", seconds=20.0)


def answers(film, questions, capsys, part=SourcePart(), *, as_json=True):  # noqa: B008 - frozen
    run_ask(TINY, str(film), questions, part=part, frames=512, as_json=as_json)
    return capsys.readouterr()


def test_times_of_a_file_are_those_of_the_film(film, capsys):
    questions = ("What was shown at 10 seconds?", "What is red?", "What came yesterday?")
    said = answers(film, questions, capsys).out.splitlines()
    moment, whole, undated = (json.loads(line) for line in said)
    assert moment["question"] == questions[0]
    assert (moment["time"]["words"], moment["time"]["since"]) == ("at 10 seconds", 10)
    assert (moment["time"]["question"], moment["time"]["since_clock"]) == ("What was shown?", None)
    assert moment["clips"] == 1
    assert moment["start"] - 1 <= 10 <= moment["end"] + 1
    assert (whole["time"], whole["clips"], undated["time"]) == (None, 16, None)


def test_what_was_left_out_of_a_file_stands_beside_the_answer(film, tmp_path, capsys):
    assert json.loads(answers(film, ("What is red?",), capsys).out)["left_out"] == []
    other = write_video(tmp_path / "other.mp4", seconds=1.0, codec="libx264")
    joined = tmp_path / "joined.mp4"
    joined.write_bytes(film.read_bytes() + other.read_bytes())
    said = answers(joined, ("What is red?", "And blue?"), capsys)
    for line in said.out.splitlines():
        (left_out,) = json.loads(line)["left_out"]
        assert left_out.startswith("More of the file is not read: ")
        assert said.err.count(left_out) == 1


def test_what_was_not_seen_of_a_source_that_is_watched_as_it_comes_is_said():
    assert not_seen(0, "Pictures arrive.") == not_seen(0, AT_ITS_END.reason) == lost_clips(0) == []
    away, more = not_seen(2, f"{AT_ITS_END.reason} More of the file is not read.")
    assert away == ("The source was away 2 times: what it showed until it came back was not seen.")
    assert more == "More of the file is not read."
    assert "away once" in not_seen(1, "Pictures arrive.")[0]
    assert lost_clips(1) == ["1 clip was lost: this machine could not encode or keep them in time."]


def test_what_was_understood_is_said_beside_the_answer(film, capsys):
    said = answers(film, ("What was shown at 10 seconds?",), capsys, as_json=False)
    assert "flashback: “at 10 seconds”: looked at 0:10\n" in said.err
    assert "looked" not in said.out


def test_a_range_of_a_file_can_be_given_and_counts_more_than_words(film, capsys):
    part = SourcePart(since=5.0, until=10.0)
    said = answers(film, ("What was shown at 1 second?",), capsys, part)
    answer = json.loads(said.out)
    assert answer["time"] is None
    assert 3 < answer["start"] < 6 < 9 < answer["end"] < 12


@pytest.mark.parametrize(
    ("text", "seconds"), [("10", 10), ("1:27", 87), ("1:02:03.5", 3723.5), ("0.5", 0.5)]
)
def test_a_place_in_a_film_is_written_in_seconds_or_as_players_show_it(text, seconds):
    assert _media_seconds(text) == seconds


@pytest.mark.parametrize("text", ["soon", "-3", "nan", "1:2:3:4", ""])
def test_what_is_no_place_in_a_film_is_refused(text):
    with pytest.raises(typer.BadParameter, match="write seconds, or 1:27"):
        _media_seconds(text)


def test_a_range_that_ends_before_it_begins_is_refused():
    with pytest.raises(Failed, match="--until 5 lies before --since 10"):
        SourcePart(since=10, until=5).check()
