"""Settings that need a library which not everybody installs."""

from importlib.util import find_spec


def need_extra(name: str, *modules: str) -> None:
    """Make sure that the libraries of the extra `name` are installed; none of them is loaded.

    Raises:
        ValueError: If one of its `modules` is not there; the message says how to get it.
    """
    # One after another: to look for a part of a package that is missing fails.
    if any(find_spec(module) is None for module in modules):
        raise ValueError(f"it needs the extra {name}: pip install 'flashback[{name}]'")
