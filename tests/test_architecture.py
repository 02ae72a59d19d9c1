"""Rules about the shape of the code rather than what it does."""

from importlib.metadata import packages_distributions

OURS = "flashback"


def test_no_dependency_ships_a_package_with_our_names():
    owners = packages_distributions()
    clashes = {
        name: other
        for name in ("stream", "model", "memory", "web")
        if (other := set(owners.get(name, ())) - {OURS})
    }
    assert not clashes
