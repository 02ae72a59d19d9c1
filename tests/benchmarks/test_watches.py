"""A person's question and one that verifies are put in turn, and told apart."""

import pytest

from benchmarks.harness.verifying import FirstWords, pairs
from memory.local_store import LocalStore
from tests.web.conftest import remember
from tests.web.fakes import EchoEngine


async def test_each_pair_is_a_question_alone_and_one_beside_a_verification():
    engine = EchoEngine()
    store = LocalStore(engine.encoder)
    await remember(store, "door", clips=6)
    found = await pairs(engine, store, "door", [4.0 * n for n in range(6)], 2)
    assert all(pair.alone > 0 and pair.beside > 0 for pair in found)
    # Two to begin with, then alone first, then beside first.
    assert [q.background for q in engine.asked] == [
        *(False, True),
        *(False, True, False),
        *(True, False, False),
    ]


def test_a_pair_is_compared_within_itself():
    assert FirstWords(alone=0.2, beside=0.3).ratio == pytest.approx(1.5)
