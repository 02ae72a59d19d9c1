"""Watches at work: clips in, events out, through a store that may be away."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
import torch

from memory.errors import StoreUnavailable
from memory.local_documents import LocalDocuments
from model.types import ClipTokens
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from stream.errors import BadInput, NoRoom
from stream.watches.book import MOST_WATCHES, WatchBook
from stream.watches.condition import Clause, Condition
from stream.watches.records import Schedule, Watch, events, watches
from stream.watches.watcher import TOLD_WITHIN, Watcher

DOG = word_table().number["dog"]
A_DOG = Condition(positive=(Clause(("dog",)),))


def a_watch(key="w", streams=(), **fields):
    return Watch(key, "a dog?", tuple(streams), fields.pop("condition", A_DOG), **fields)


class Eye:
    """An engine that sees in a clip as many dogs as its value says."""

    name = "eye"

    def __init__(self, blind=False):
        self.blind = blind

    async def things(self, clips):
        if self.blind:
            return None
        return [[Thing(DOG, count=n)] if (n := int(c.values[0, 0])) else [] for c in clips]


class Work(SimpleNamespace):
    async def show(self, *dogs, stream="yard"):
        for count in dogs:
            self.now += 4.0
            values = torch.full((1, 1), float(count))
            self.watcher.seen(stream, ClipTokens(values, self.now, self.now + 3))
        await self.watcher.settle()


@asynccontextmanager
async def working(documents=None, engine=None, verdict=("confirmed", "it said yes")):
    work = Work(now=1000.0, told=[], delivered=[], documents=documents or LocalDocuments())

    async def verify(watch, event):
        return verdict

    async def deliver(watch, event):
        work.delivered.append((watch.id, event.id))

    work.watcher = Watcher(
        engine or Eye(),
        WatchBook(work.documents),
        wall=lambda: work.now,
        verify=verify,
        deliver=deliver,
    )
    async with work.watcher.at_work():
        with work.watcher.alerts() as work.alerts:
            yield work


async def test_what_fires_is_told_kept_counted_and_delivered_and_told_again_when_it_is_over():
    async with working() as work:
        await work.watcher.save(a_watch(refractory_s=0))
        await work.show(0, 1, 1, 1, 0, 0, 0, 0)
        fired, ended = await work.alerts.next(), await work.alerts.next()
        assert (fired.open, ended.open) == (True, False)
        assert fired.id == ended.id
        assert (ended.start, ended.end) == (1008, 1019)
        assert [sighting.score for sighting in fired.evidence] == [0, 1, 1]
        assert await work.watcher.book.events(9) == [ended]
        assert work.watcher.counters("w").fired == 1
        assert work.delivered == [("w", fired.id)]


async def test_a_watch_sees_only_its_streams():
    async with working() as work:
        await work.watcher.save(a_watch("one", ["door"]))
        await work.watcher.save(a_watch("all"))
        await work.show(1, 1)
        assert [e.watch for e in await work.watcher.book.events(9)] == ["all"]


@pytest.mark.parametrize(
    "rests", [{"paused": True}, {"expires": 500.0}, {"schedule": Schedule("12:00", "13:00")}]
)
async def test_a_watch_that_rests_tells_nothing(rests):
    async with working() as work:
        await work.watcher.save(a_watch(**rests))
        await work.show(1, 1, 1)
        assert await work.watcher.book.events(9) == []


async def test_what_began_while_a_watch_was_paused_is_not_told_when_it_goes_on():
    async with working() as work:
        await work.watcher.save(a_watch(paused=True))
        await work.show(1, 1, 1)
        await work.watcher.save(a_watch())
        await work.show(1, 1)
        assert await work.watcher.book.events(9) == []


async def test_what_the_model_denies_is_kept_but_told_to_nobody():
    async with working(verdict=("rejected", "it said no")) as work:
        await work.watcher.save(a_watch(verify=True))
        await work.show(1, 1, 0, 0, 0, 0)
        [event] = await work.watcher.book.events(9)
        assert (event.verdict, event.why, event.open) == ("rejected", "it said no", False)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await work.alerts.next()
        assert work.delivered == []
        assert work.watcher.counters("w").rejected == 1
        assert work.watcher.verdicts["rejected"] == 1
        assert sum(work.watcher.verdicts.values()) == 1


NO_DOG = Condition(negative=(Clause(("dog",)),), hold_s=30.0, after_seen=True)
HALF_SEEN = (*(1, 0) * 8, *(0,) * 45)


@pytest.mark.parametrize("verify", [False, True])
async def test_that_something_is_gone_which_is_hard_to_see_is_told_with_that_doubt(verify):
    async with working() as work:
        await work.watcher.save(a_watch(condition=NO_DOG, verify=verify))
        await work.show(*HALF_SEEN)
        event = await work.alerts.next()
        assert event.verdict == "unverified"
        assert event.why.startswith("It is hard to see here: 53% of the clips showed it")
        assert event.why.endswith("It may be there still." + " it said yes" * verify)
        assert work.watcher.hard_to_see("w") == {"yard": pytest.approx(0.53, abs=0.01)}


async def test_that_something_is_gone_which_every_clip_showed_is_told_without_a_doubt():
    async with working() as work:
        await work.watcher.save(a_watch(condition=NO_DOG))
        await work.show(*(1,) * 16, *(0,) * 45)
        assert (await work.alerts.next()).why == ""
        assert work.watcher.hard_to_see("w") == {}


async def test_the_peak_of_an_event_is_the_highest_score_of_what_made_it_fire():
    eye = Eye()

    async def things(clips):
        return [[Thing(DOG, clip.values[0, 0].item())] for clip in clips]

    async with working(engine=eye) as work:
        await work.watcher.save(a_watch())
        eye.things = things
        await work.show(0.9375, 0.5, 0.25, 0, 0, 0, 0)
        fired, ended = await work.alerts.next(), await work.alerts.next()
        assert (fired.peak, ended.peak) == (0.938, 0.938)


async def test_a_changed_watch_waits_for_what_it_says_now():
    async with working() as work:
        await work.watcher.save(a_watch())
        await work.show(1)
        await work.watcher.save(a_watch(condition=Condition((Clause(("dog",), at_least=2),))))
        await work.show(1, 1, 2)
        assert await work.watcher.book.events(9) == []
        await work.show(2)
        assert len(await work.watcher.book.events(9)) == 1


async def test_watches_and_counters_are_taken_up_after_a_restart():
    async with working() as work:
        await work.watcher.save(a_watch())
        await work.show(1, 1)
    async with working(work.documents) as again:
        await again.watcher.settle()
        assert list(again.watcher.watches) == ["w"]
        assert again.watcher.counters("w").fired == 1


async def test_what_goes_on_over_a_restart_is_not_told_again_and_ends_as_the_same_event():
    async with working() as work:
        await work.watcher.save(a_watch(refractory_s=0))
        await work.show(1, 1)
        [fired] = await work.watcher.book.events(9)
    async with working(work.documents) as again:
        again.now = work.now
        await again.show(1, 1)
        assert await again.watcher.book.events(9) == [fired]
        await again.show(0, 0, 0, 0)
        [over] = await again.watcher.book.events(9)
        assert (over.id, over.open, over.end) == (fired.id, False, again.now - 4 * 4 + 3)


async def killed_while_it_verifies(documents):
    """Have an event fire, and the process end while the model is asked; return the event's id."""
    async with working(documents) as work:
        asked, never = asyncio.Event(), asyncio.Event()

        async def verify(watch, event):
            asked.set()
            await never.wait()

        work.watcher._teller._verify = verify
        await work.watcher.save(a_watch(verify=True))
        for count in (1, 1):
            work.now += 4.0
            values = torch.full((1, 1), float(count))
            work.watcher.seen("yard", ClipTokens(values, work.now, work.now + 3))
        await asked.wait()
        [event] = work.watcher.going_on()
        assert work.delivered == []
    return event.id


async def test_what_fired_in_a_process_that_ended_before_it_was_told_is_told_after_a_restart():
    documents = LocalDocuments()
    event = await killed_while_it_verifies(documents)
    async with working(documents) as work:
        work.now = 1000.0 + TOLD_WITHIN + 60
        await work.watcher.loaded()
        await work.watcher.tell_inherited()
        await work.watcher.settle()
        assert work.delivered == [("w", event)]
        await work.watcher.tell_inherited()
        await work.watcher.settle()
        assert len(work.delivered) == 1
        assert [e.verdict for e in await work.watcher.book.events(9)] == ["confirmed"]


async def test_what_another_process_is_about_to_tell_is_not_told_here():
    documents = LocalDocuments()
    await killed_while_it_verifies(documents)
    async with working(documents) as work:
        work.now = 1000.0 + 10
        await work.watcher.loaded()
        await work.watcher.tell_inherited()
        await work.watcher.settle()
        assert work.delivered == []


async def test_what_the_model_denied_before_a_restart_stays_denied():
    async with working(verdict=("rejected", "it said no")) as work:
        await work.watcher.save(a_watch(verify=True))
        await work.show(1, 1)
    async with working(work.documents) as again:
        again.now = work.now
        await again.show(0, 0, 0, 0)
        [event] = await again.watcher.book.events(9)
        assert (event.verdict, event.open) == ("rejected", False)


GONE = Condition(negative=(Clause(("dog",)),), hold_s=24.0, after_seen=True)


async def test_a_restart_does_not_lose_for_how_long_a_thing_has_been_gone():
    async with working() as work:
        await work.watcher.save(a_watch(condition=GONE))
        await work.show(1, 1, 0, 0, 0, 0)
    async with working(work.documents) as again:
        again.now = work.now
        await again.show(0)
        assert await again.watcher.book.events(9) == []
        await again.show(*[0] * 8)
        [event] = await again.watcher.book.events(9)
        assert event.start == work.now - 4 * 4 + 3  # where the dog was seen last


async def test_of_another_condition_what_was_seen_says_nothing():
    async with working() as work:
        await work.watcher.save(a_watch())
        await work.show(1)
    book = WatchBook(work.documents)
    await book.save(a_watch(condition=Condition((Clause(("dog",), at_least=2),))))
    async with working(work.documents) as again:
        again.now = work.now
        await again.show(2)
        assert await again.watcher.book.events(9) == []
        await again.show(2)
        assert len(await again.watcher.book.events(9)) == 1


async def test_a_stream_that_began_anew_while_nobody_looked_is_watched_from_its_beginning():
    async with working() as work:
        await work.watcher.save(a_watch(refractory_s=0))
        await work.show(1, 1)
    async with working(work.documents) as again:
        again.now = 0.0
        await again.show(1, 1)
        assert len(await again.watcher.book.events(9)) == 2


async def test_a_state_is_written_when_something_turns_and_dropped_with_its_watch():
    async with working() as work:
        keeper, book = work.watcher._keeper, work.watcher.book
        await work.watcher.save(a_watch())
        await work.show(0, 0)
        await keeper.save()
        assert await book.states() == []
        await work.show(1, 1)
        await keeper.save()
        [fired] = await book.states()
        await work.show(1)
        await keeper.save()
        assert await book.states() == [fired]
        await work.show(*[1] * 8)  # half a minute
        await keeper.save()
        [later] = await book.states()
        assert later.trigger.clips == 13
        await work.watcher.remove("w")
        await keeper.save()
        assert await book.states() == []


async def test_a_second_process_learns_of_watches_that_are_made_changed_and_deleted():
    async with working() as one, working(one.documents) as other:
        await other.watcher.loaded()
        await one.watcher.save(a_watch())
        await other.watcher.refresh()
        await other.show(1, 1)
        assert len(await one.watcher.book.events(9)) == 1
        await one.watcher.save(a_watch(paused=True))
        await other.watcher.refresh()
        assert other.watcher.find("w").paused
        await one.watcher.remove("w")
        await other.watcher.refresh()
        assert list(other.watcher.watches) == []


async def test_a_watch_made_while_the_others_are_read_is_not_lost():
    async with working() as work:
        await work.watcher.loaded()
        read = work.watcher.book.watches

        async def slowly():
            found = await read()
            await work.watcher.save(a_watch())
            return found

        work.watcher.book.watches = slowly
        await work.watcher.refresh()
        assert list(work.watcher.watches) == ["w"]


async def test_a_deleted_watch_is_gone_and_its_events_stay():
    async with working() as work:
        await work.watcher.save(a_watch())
        await work.show(1, 1)
        await work.watcher.remove("w")
        await work.show(0, 0, 0, 0, 1, 1)
        assert len(await work.watcher.book.events(9)) == 1
        with pytest.raises(BadInput):
            work.watcher.find("w")


async def test_a_stream_that_begins_anew_is_watched_from_its_new_beginning():
    async with working() as work:
        await work.watcher.save(a_watch(refractory_s=0))
        await work.show(1, 1)
        work.watcher.forget("yard")
        work.now = 0.0
        await work.show(1, 1)
        assert len(await work.watcher.book.events(9)) == 2


async def test_a_model_without_words_is_refused_with_a_reason():
    async with working(engine=Eye(blind=True)) as work:
        with pytest.raises(BadInput, match="eye has no words"):
            await work.watcher.save(a_watch())


async def test_no_more_watches_are_kept_than_there_is_room_for():
    book = WatchBook(LocalDocuments())
    for number in range(MOST_WATCHES):
        await book.save(a_watch(f"w{number}"))
    await book.save(a_watch("w0", paused=True))
    with pytest.raises(NoRoom):
        await book.save(a_watch("one more"))


async def test_a_store_that_is_away_keeps_nobody_from_being_told():
    class Away(LocalDocuments):
        async def put(self, kind, kept, keep):
            if kind != "watch":
                raise StoreUnavailable("it is away")
            await super().put(kind, kept, keep)

    async with working(Away()) as work:
        await work.watcher.save(a_watch())
        await work.show(1, 1)
        async with asyncio.timeout(60):
            assert (await work.alerts.next()).open
        assert "it is away" in work.watcher.counters("w").last_error


def test_records_survive_the_way_through_the_store_and_others_are_passed_over(caplog):
    watch = a_watch(streams=["a"], schedule=Schedule("22:00", "06:00", (0, 1), "UTC"))
    assert watches.decode(watches.encode(watch)) == watch
    assert watches.decode(watches.encode(watch) | {"added later": 1}) == watch
    assert watches.decode(watches.encode(watch) | {"version": 9}) is None
    assert events.decode({"version": 1, "id": "x"}) is None
    assert "passed over" in caplog.text


@pytest.mark.parametrize(
    ("unix", "holds"),
    # Thursday, 1 January 1970, in UTC.
    [(21 * 3600, False), (22 * 3600, True), (29 * 3600, True), (30 * 3600, False), (46 * 3600, False)],
)  # fmt: skip
def test_a_schedule_over_midnight_belongs_to_the_day_on_which_it_starts(unix, holds):
    assert Schedule("22:00", "06:00", days=(3,)).holds(unix) is holds


@pytest.mark.parametrize(
    "wrong", [{"start": "25:00"}, {"days": ()}, {"days": (7,)}, {"timezone": "Mars/Olympus"}]
)
def test_a_schedule_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=r"give times|days are|time zone"):
        Schedule(**wrong)


async def test_what_two_processes_count_adds_up():
    async with working() as one, working(one.documents) as other:
        await one.watcher.save(a_watch(refractory_s=0))
        await other.watcher.refresh()
        await one.show(1, 1, stream="door")
        await other.show(1, 1, stream="yard")
        assert other.watcher.counters("w").fired == 2
        await one.watcher.refresh()
        assert one.watcher.counters("w").fired == 2
        await one.watcher.remove("w")
        await one.watcher.save(a_watch())
        assert one.watcher.counters("w").fired == 0


async def test_what_was_counted_while_the_store_was_away_is_added_once_it_is_there():
    documents = AwayNow()
    async with working(documents) as work:
        await work.watcher.save(a_watch(refractory_s=0))
        documents.away = True
        await work.show(1, 1, 0, 0, 0, 0)
        documents.away = False
        await work.show(1, 1)
        assert work.watcher.counters("w").fired == 2
        assert (await work.watcher.book.counters())["w"].fired == 2


class AwayNow(LocalDocuments):
    away = False

    async def put(self, kind, kept, keep):
        if self.away:
            raise StoreUnavailable("away")
        await super().put(kind, kept, keep)

    async def add(self, *numbers):
        if self.away:
            raise StoreUnavailable("away")
        return await super().add(*numbers)


async def test_a_stream_that_moves_to_another_process_goes_on_there_and_back():
    documents = LocalDocuments()
    async with working(documents) as one, working(documents) as other:
        await one.watcher.save(a_watch(refractory_s=0))
        await other.watcher.refresh()
        await one.show(0, 1, 1)
        fired = await one.alerts.next()
        await one.watcher._keeper.save()
        other.now = one.now
        await other.show(1, 1)  # goes on: nobody is told twice
        assert await other.watcher.book.events(9) == [fired]
        await other.watcher._keeper.save(everything=True)
        one.now = other.now + 20  # and back, later
        await one.show(0, 0, 0, 0)
        over = await one.alerts.next()
        assert (over.id, over.open) == (fired.id, False)
        assert over.end == other.now + 3


async def test_a_stream_that_fell_silent_is_handed_over_with_all_that_it_has_lasted():
    documents = LocalDocuments()
    gone = Condition(negative=(Clause(("dog",)),), hold_s=60.0, after_seen=True)
    async with working(documents) as one, working(documents) as other:
        await one.watcher.save(a_watch(condition=gone))
        await other.watcher.refresh()
        await one.show(1, 1, *[0] * 5)
        await one.watcher._keeper.save()
        await one.show(*[0] * 6)  # less than what is written anyway, now and then
        for _ in range(5):
            await one.watcher._keeper.save()
        other.now = one.now
        await other.show(*[0] * 6)
        told = await other.alerts.next()
        assert (told.open, told.start) == (True, 1011)
        assert told.fired - told.start == pytest.approx(60, abs=4)


async def test_a_process_that_saw_less_does_not_overwrite_what_another_has_seen_since():
    documents = LocalDocuments()
    async with working(documents) as one, working(documents) as other:
        await one.watcher.save(a_watch())
        await other.watcher.refresh()
        await one.show(1, 1)
        other.now = one.now
        await one.watcher._keeper.save()
        await one.show(1)
        other.now = one.now + 4
        await other.show(1, 1)
        await other.watcher._keeper.save(everything=True)
        await one.watcher._keeper.save(everything=True)
        [kept] = await one.watcher.book.states_of("yard", ["w"])
        assert kept.trigger.at.media == other.now + 3


async def test_a_stream_is_watched_while_the_store_that_has_its_past_is_away():
    class Away(LocalDocuments):
        away = False

        async def get(self, kind, key):
            if self.away:
                raise StoreUnavailable("it is away")
            return await super().get(kind, key)

    async with working(Away()) as work:
        await work.watcher.save(a_watch())
        work.documents.away = True
        await work.show(1, 1)
        assert (await work.alerts.next()).open
        work.documents.away = False
