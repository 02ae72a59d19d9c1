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

NAMES = st.sampled_from("aaaabbcd")
KINDS = st.sampled_from(["webrtc", "pictures", "url"])
PICTURES = st.integers(0, 20)
PAUSES = st.sampled_from([0.05, 0.6, 0.6, 7.0])
TURNS = st.sampled_from([0, 1, 2, 3, 5, 8, 13, 100])
DAWDLE = st.integers(0, 5)
SOME = st.floats(0, 1, exclude_max=True)
"""Which one, of as many as there are."""


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

    @rule(name=NAMES, kind=KINDS, dawdle=DAWDLE, pictures=PICTURES, pause=PAUSES, turns=TURNS)
    def a_source_connects(self, name, kind, dawdle, pictures, pause, turns):
        self.happens(self.world.connect(name, kind, False, dawdle, pictures, pause), turns)

    @rule(name=NAMES, pictures=PICTURES, pause=st.sampled_from([0.0, 0.5]), turns=TURNS)
    def a_file_is_read(self, name, pictures, pause, turns):
        self.happens(self.world.connect(name, "file", True, 0, pictures, pause), turns)

    @precondition(lambda self: self.world.sources)
    @rule(which=SOME, pictures=PICTURES, pause=PAUSES, turns=TURNS)
    def a_source_goes_on(self, which, pictures, pause, turns):
        self.happens(self.world.show(self.one_of_the_sources(which), pictures, pause), turns)

    @precondition(lambda self: self.world.sources)
    @rule(which=SOME, state=st.sampled_from(["leaves", "retrying", "connecting"]))
    def a_source_is_in_trouble(self, which, state):
        feed = self.one_of_the_sources(which).feed
        if state == "leaves":
            feed.close("The sender left.")
        else:
            feed.report_state(state, "The camera is away.")

    def one_of_the_sources(self, which):
        return self.world.sources[int(which * len(self.world.sources))]

    @rule(name=NAMES, listed=st.booleans(), turns=TURNS)
    def someone_looks(self, name, listed, turns):
        self.happens(self.world.list() if listed else self.world.look(name), turns)

    @rule(name=NAMES, dawdle=DAWDLE, turns=TURNS)
    def someone_asks(self, name, dawdle, turns):
        self.happens(self.world.ask(name, dawdle), turns)

    @rule(name=NAMES, turns=TURNS)
    def a_stream_is_deleted(self, name, turns):
        self.happens(self.world.forget(name), turns)

    @rule(
        seconds=st.sampled_from([0.0, 0.3, 2.0, 20.0]), jump=st.sampled_from([0, 0, -3600, -1, 5])
    )
    def time_passes(self, seconds, jump):
        self.world.wall += jump
        self.run(asyncio.sleep(seconds))

    @rule(trouble=st.sampled_from(["away", "deaf", "full", "broken"]), on=st.booleans())
    def the_store_has_its_days(self, trouble, on):
        setattr(self.world.weather, trouble, on)

    @rule()
    def the_store_comes_back_empty(self):
        self.run(self.world.wipe())

    @rule(
        seconds=st.sampled_from([0.01, 0.5, 4.0, 30.0]),
        failures=st.sampled_from([0, 0, 1, 3]),
        forgets=st.none() | NAMES,
    )
    def the_engine_has_its_days(self, seconds, failures, forgets):
        self.world.engine.seconds, self.world.engine.failures = seconds, failures
        self.world.engine.pulling.forget(forgets)

    @rule(name=NAMES)
    def all_is_well_for_a_while(self, name):
        self.run(self.world.calm_down(name))

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
            self.run(self.world.calm_down("a"))
            self.run(self.world.stop())
        finally:
            self.runner.close()
            logging.disable(logging.NOTSET)


class LivesOverRedis(Lives):
    disk = RedisDisk


CHEAP = settings(deadline=None, max_examples=40, stateful_step_count=25)
TestLives, TestLivesOverRedis = Lives.TestCase, LivesOverRedis.TestCase
TestLives.settings = TestLivesOverRedis.settings = CHEAP
