import pytest

from tests.end_to_end.needs import need


def test_what_a_machine_lacks_skips_the_test(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs a tool"):
        need(None, "a tool")


def test_under_ci_it_fails_the_test(monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs a tool"):
        need(False, "a tool")


@pytest.mark.parametrize("ci", ["", "true"])
def test_what_it_has_does_neither(monkeypatch, ci):
    monkeypatch.setenv("CI", ci)
    need("/usr/bin/tool", "a tool")


@pytest.mark.parametrize("missing", ["namespaces", "turn_server", "nat_rules"])
def test_tests_of_the_network_ask_for_what_they_need(monkeypatch, request, missing):
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("tests.end_to_end.coturn.TURNSERVER", None)
    with pytest.raises(pytest.fail.Exception, match="under CI"):
        request.getfixturevalue(missing)
