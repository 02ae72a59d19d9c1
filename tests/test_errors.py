"""The tree of what may go wrong is what its page says."""

import ast
import re
from pathlib import Path

import pytest

import memory
import model
import stream
import web
from memory.errors import StoreError
from model.errors import ModelError
from stream.errors import StreamError
from web import errors
from web.errors import Refusal, WebError

BASES = {memory: StoreError, model: ModelError, stream: StreamError, web: WebError}
DRAWN = re.compile(r"^ {4}[│├└─ ]*(\w+) {2,}(\w+|\(its own\)) {2,}\S", re.MULTILINE)


def kinds(above):
    yield above
    for kind in above.__subclasses__():
        yield from kinds(kind)


def calls(package):
    for file in Path(package.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node.func.id, {word.arg: word.value for word in node.keywords}


def test_every_error_is_drawn_in_the_tree_with_its_code():
    assert dict(DRAWN.findall(errors.__doc__)) == {
        kind.__name__: kind.code if "code" in vars(kind) else "(its own)"
        for above in BASES.values()
        for kind in kinds(above)
    }


@pytest.mark.parametrize("package", BASES, ids=lambda package: package.__name__)
def test_a_code_that_is_not_its_class_s_own_stands_in_the_tree_too(package):
    named = {kind.__name__ for kind in kinds(BASES[package])}
    own = {kind.__name__ for kind in kinds(Refusal)}  # of HTTP and of the Realtime API
    given = {
        words["code"].value
        for kind, words in calls(package)
        if "code" in words and kind in named - own
    }
    assert not {code for code in given if not re.search(rf"\b{code}\b", errors.__doc__)}
