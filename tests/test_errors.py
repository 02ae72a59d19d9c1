"""The trees of what may go wrong in a package are what their pages say."""

import ast
import importlib
import inspect
import pkgutil
import re

import pytest

import memory
import memory.errors
import model
import model.errors
import stream
import stream.errors


def modules(package):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            yield importlib.import_module(module.name)


def kinds(above):
    for kind in above.__subclasses__():
        yield kind
        yield from kinds(kind)


def calls(module):
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, {word.arg: word.value for word in node.keywords}


TREES = pytest.mark.parametrize(
    ("package", "above"),
    [
        (memory, memory.errors.StoreError),
        (model, model.errors.ModelError),
        (stream, stream.errors.StreamError),
    ],
)


@TREES
def test_every_error_of_a_package_is_drawn_in_its_tree_with_its_code(package, above):
    list(modules(package))
    page = importlib.import_module(f"{package.__name__}.errors").__doc__
    assert dict(re.findall(r"── (\w+) {2,}(\w+) {2,}", page)) == {
        kind.__name__: kind.code for kind in kinds(above)
    }


@TREES
def test_a_code_that_is_not_its_class_s_own_stands_on_the_page_too(package, above):
    page = importlib.import_module(f"{package.__name__}.errors").__doc__
    given = {
        words["code"].value
        for module in modules(package)
        for kind, words in calls(module)
        if "code" in words and kind in {above.__name__, *(kind.__name__ for kind in kinds(above))}
    }
    assert not {code for code in given if not re.search(rf"\b{code}\b", page)}
