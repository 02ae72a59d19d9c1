"""Streams in any order of what happens in the world, over stores that have their days.

See `lives.py` for the world. Time is skipped, never waited for, so every life can be lived again.
"""

import asyncio
import logging

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.stream.lives import LocalDisk, RedisDisk, World
from tests.stream.skipped_time import SkippingLoop

NAMES = st.sampled_from("abcd")
TURNS = st.integers(0, 12)


class Lives(RuleBasedStateMachine):
    disk = LocalDisk

    @initialize(turns=st.lists(st.integers(0, 4), min_size=1, max_size=5))
    def begin(self, turns):
        logging.disable(logging.CRITICAL)
        self.runner = asyncio.Runner(loop_factory=SkippingLoop)
        self.world = self.run(self.make(tuple(turns)))

    async def make(self, turns):
        return World(self.disk(), turns)

    def run(self, coroutine):
        return self.runner.run(coroutine)

    def happens(self, coroutine, turns):
        """Let something begin and go on for some turns of the loop."""

        async def go_on():
            self.world.do(coroutine)
            for _ in range(turns):
                await asyncio.sleep(0)

        self.run(go_on())

    @rule(
        name=NAMES,
        kind=st.sampled_from(["webrtc", "pictures", "url"]),
        dawdle=st.integers(0, 5),
        turns=TURNS,
    )
    def a_source_connects(self, name, kind, dawdle, turns):
        self.happens(self.world.connect(name, kind, False, dawdle), turns)

    @rule(name=NAMES, turns=TURNS)
    def a_file_is_read(self, name, turns):
        self.happens(self.world.connect(name, "file", True, 0), turns)

    @precondition(lambda self: self.world.sources)
    @rule(
        data=st.data(),
        pictures=st.integers(1, 20),
        pause=st.sampled_from([0.05, 0.6, 7.0]),
        turns=TURNS,
    )
    def a_source_shows_pictures(self, data, pictures, pause, turns):
        source = data.draw(st.sampled_from(self.world.sources))
        self.happens(self.world.show(source, pictures, pause), turns)

    @precondition(lambda self: self.world.sources)
    @rule(data=st.data())
    def a_source_leaves(self, data):
        source = data.draw(st.sampled_from(self.world.sources))
        self.happens(self.world.leave(source), 1)

    @precondition(lambda self: self.world.sources)
    @rule(data=st.data(), state=st.sampled_from(["connecting", "retrying"]))
    def a_source_is_in_trouble(self, data, state):
        data.draw(st.sampled_from(self.world.sources)).feed.say(state, "The camera is away.")

    @rule(name=NAMES, turns=TURNS)
    def someone_looks(self, name, turns):
        self.happens(self.world.look(name), turns)

    @rule(turns=TURNS)
    def someone_looks_at_the_list(self, turns):
        self.happens(self.world.list(), turns)

    @rule(name=NAMES, dawdle=st.integers(0, 5), turns=TURNS)
    def someone_asks(self, name, dawdle, turns):
        self.happens(self.world.ask(name, dawdle), turns)

    @rule(name=NAMES, turns=TURNS)
    def a_stream_is_deleted(self, name, turns):
        self.happens(self.world.forget(name), turns)

    @rule(seconds=st.sampled_from([0.0, 0.3, 2.0, 20.0]))
    def time_passes(self, seconds):
        self.run(asyncio.sleep(seconds))

    @rule(seconds=st.sampled_from([-3600.0, -1.0, 5.0]))
    def the_wall_clock_is_set(self, seconds):
        self.world.wall += seconds

    @rule(
        trouble=st.sampled_from(["away", "deaf", "full"]),
        on=st.booleans(),
    )
    def the_store_has_its_days(self, trouble, on):
        setattr(self.world.weather, trouble, on)

    @rule()
    def the_store_fails_as_no_store_should(self):
        self.world.weather.broken = True

    @rule()
    def the_store_comes_back_empty(self):
        self.run(self.world.wipe())

    @rule(clips=st.integers(1, 3))
    def the_encoder_fails(self, clips):
        self.world.engine.failures = clips

    @rule(seconds=st.sampled_from([0.01, 0.5, 4.0, 30.0]))
    def the_encoder_takes_its_time(self, seconds):
        self.world.engine.seconds = seconds

    @rule(name=NAMES)
    def the_engine_gives_a_history_up(self, name):
        self.world.engine.forget(name)

    @rule()
    def all_is_well_for_a_while(self):
        self.run(self.world.calm_down())

    @rule(crash=st.booleans())
    def the_process_starts_anew(self, crash):
        async def anew():
            await (self.world.crash() if crash else self.world.stop())
            self.world.start()

        self.run(anew())

    @invariant()
    def places_are_as_they_are(self):
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self):
        if not hasattr(self, "world"):
            return
        try:
            self.run(self.world.calm_down())
            self.run(self.world.stop())
        finally:
            self.runner.close()
            logging.disable(logging.NOTSET)


class LivesOverRedis(Lives):
    disk = RedisDisk


CHEAP = settings(deadline=None, max_examples=40, stateful_step_count=25)
TestLives, TestLivesOverRedis = Lives.TestCase, LivesOverRedis.TestCase
TestLives.settings = TestLivesOverRedis.settings = CHEAP
