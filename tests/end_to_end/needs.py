"""What tests need of the machine: without it they are skipped, but under CI they fail."""

import os

import pytest


def need(met, what):
    """Skip the test that asks unless `met`; where the variable `CI` is set, fail it.

    Otherwise a machine of the CI that has lost a tool would go on passing everything.
    """
    if met:
        return
    if os.environ.get("CI"):
        pytest.fail(f"under CI nothing is skipped; this needs {what}")
    pytest.skip(f"needs {what}")
