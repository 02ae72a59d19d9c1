"""The sizes of the house: what a reader has to learn, with ceilings, so that none of it grows unseen.

A ceiling is what was there when it was last lowered. Lower it with what you remove; raise it only in a
commit that says why.
"""

import ast
import builtins
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("stream", "model", "memory", "web")
CLIENT = "flashback_client"
EVERYWHERE = (*PACKAGES, "training", "benchmarks", CLIENT, "tests")

ERRORS = 31
"""Classes of errors in the packages and their client, bases among them."""
FACES = 193
"""Names that one of the four packages shows another: what somebody has to know of the rest."""
SHARED = 1275
"""Names that more than their own module uses."""
LOOSE = 0
"""Functions, constants and type variables that could begin with an underscore, and do not yet."""
LONG_FILES = 11
"""Files of more than 300 lines in the four packages."""
LONGEST_FILE = 360

TWINS = {
    *("AllAnswers", "Evidence", "Moment", "Scene", "StreamAnswer", "Summary", "TimeUnderstood"),
    *("DeadLetter", "Unanswered", "Watch", "WatchList", "WatchReading"),
}
"""Classes that the client has again: what it reads of the wire, named as here. It is installed without
the service, so it cannot import them, and has what a caller needs of each alone."""


@cache
def trees():
    files = [file for room in EVERYWHERE for file in sorted((ROOT / room).rglob("*.py"))]
    return {file.relative_to(ROOT): ast.parse(file.read_text()) for file in files}


def module_of(file):
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def assigned(node):
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {
        each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)
    }


def definitions(tree):
    """Yield the name and statement of whatever stands at the top of a module."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for name in assigned(node):
                yield name, node


@cache
def public():
    """Return the public names of each module of the four packages; a module's `log` is its own."""
    return {
        module_of(file): {
            name: node for name, node in definitions(tree) if name != "log" and name[0] != "_"
        }
        for file, tree in trees().items()
        if file.parts[0] in PACKAGES
    }


@cache
def users():
    """Return who imports each public name, tests among them."""
    found = defaultdict(set)
    for file, tree in trees().items():
        for name in named_in(tree):
            found[name].add(module_of(file))
    return found


def named_in(tree):
    """Yield the module and name of each public name that `tree` imports, or reads off a module."""
    known, modules = public(), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = known.get(node.module, ())
            yield from ((node.module, each.name) for each in node.names if each.name in names)
            modules |= {
                each.asname or each.name: f"{node.module}.{each.name}" for each in node.names
            }
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)  # imports stand first
            if node.attr in known.get(module, ()):
                yield module, node.attr


def could_be_private(name, node):
    """Say whether it is a function, constant or type variable that no framework reads.

    A class may be what a public function returns, or a type of the wire.
    """
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return not node.decorator_list and name != "main"
    if isinstance(node, ast.ClassDef):
        return False
    made = node.value.func if isinstance(node.value, ast.Call) else None
    return name.isupper() or (isinstance(made, ast.Name) and made.id == "TypeVar")


def test_what_only_its_own_module_uses_begins_with_an_underscore():
    loose = [
        f"{module}.{name}"
        for module, names in public().items()
        for name, node in names.items()
        if could_be_private(name, node) and not users()[module, name]
    ]
    assert len(loose) <= LOOSE, loose


def test_no_more_names_are_shared_than_were():
    assert (
        len([1 for used in users().values() if {name.split(".")[0] for name in used} - {"tests"}])
        <= SHARED
    )


def test_packages_show_each_other_no_more_names_than_they_did():
    shown = [
        (module, name)
        for (module, name), used in users().items()
        if {user.split(".")[0] for user in used} & set(PACKAGES) - {module.split(".")[0]}
    ]
    assert len(shown) <= FACES


def test_there_are_no_more_classes_of_errors_than_there_were():
    errors = {"Exception"} | {name for name in dir(builtins) if name.endswith("Error")}
    classes = {
        name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for file, tree in trees().items()
        if file.parts[0] in (*PACKAGES, CLIENT)
        for name, node in definitions(tree)
        if isinstance(node, ast.ClassDef)
    }
    while more := {name for name, bases in classes.items() if bases & errors} - errors:
        errors |= more
    assert len(errors & classes.keys()) <= ERRORS


def test_one_name_is_one_class():
    places = defaultdict(list)
    for file, tree in trees().items():
        if file.parts[0] != "tests":
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(str(file))
    several = {name: files for name, files in places.items() if len(files) > 1}
    twins = {name for name, files in several.items() if _is_twin(files)}
    assert not {name: files for name, files in several.items() if name not in twins & TWINS}
    assert twins == TWINS


def _is_twin(files):
    return len(files) == 2 and [file.startswith(CLIENT) for file in files].count(True) == 1


def test_files_are_no_longer_than_they_were():
    lengths = {
        str(file): len((ROOT / file).read_text().splitlines())
        for file in trees()
        if file.parts[0] in PACKAGES
    }
    assert len([file for file, length in lengths.items() if length > 300]) <= LONG_FILES
    assert max(lengths.values()) <= LONGEST_FILE
