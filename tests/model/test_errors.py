"""The tree of the model's errors is what its page says."""

import re

from model import errors
from model.errors import HistoryGone, ModelError, NothingSeen

DRAWN = re.findall(r"(\w+)(?: {2,}([a-z]+_[a-z_]+))?", errors.__doc__.split("\n\n")[1])


def kinds(above):
    for kind in above.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_error_is_drawn_in_the_tree_with_its_code():
    drawn = {name: code for name, code in DRAWN if hasattr(errors, name)}
    assert set(drawn) == {kind.__name__ for kind in kinds(ModelError)} | {"ModelError"}
    assert {name: code for name, code in drawn.items() if code} == {
        name: getattr(errors, name).code for name, code in drawn.items() if code
    }


def test_a_history_that_is_gone_can_be_told_from_nothing_seen():
    assert issubclass(HistoryGone, NothingSeen)
    assert HistoryGone.code != NothingSeen.code
