"""A little of `make fuzz`, the same each time: that it runs, and that what it asks still holds."""

from tests.fuzz.fuzz_parsers import *  # noqa: F403 - every one of its tests
