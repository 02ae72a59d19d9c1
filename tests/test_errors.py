"""The trees of what may go wrong in a package are what their pages say."""

import importlib
import pkgutil
import re

import pytest

import memory
import memory.errors
import model
import model.errors
import stream
import stream.errors


def kinds(above):
    for kind in above.__subclasses__():
        yield kind
        yield from kinds(kind)


@pytest.mark.parametrize(
    ("package", "above"),
    [
        (memory, memory.errors.StoreError),
        (model, model.errors.ModelError),
        (stream, stream.errors.StreamError),
    ],
)
def test_every_error_of_a_package_is_drawn_in_its_tree_with_its_code(package, above):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    page = importlib.import_module(f"{package.__name__}.errors").__doc__
    assert dict(re.findall(r"── (\w+) {2,}(\w+) {2,}", page)) == {
        kind.__name__: kind.code for kind in kinds(above)
    }
