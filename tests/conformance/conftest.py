"""The flag --server_binary, and the rule that every case says what it rests on: `@pytest.mark.conforms("…")`."""

import pathlib

import pytest

HERE = pathlib.Path(__file__).parent


def pytest_addoption(parser):
    parser.addoption("--server_binary", default=None, help="Server to hold to the cases; default: the embedded one.")


def pytest_collection_modifyitems(items):
    cases = [item for item in items if HERE in item.path.parents]
    silent = [item.nodeid for item in cases if item.get_closest_marker("conforms") is None]
    assert not silent, f"these cases do not say what they rest on: {silent}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and (rests := item.get_closest_marker("conforms")):
        report.sections.append(("rests on", rests.args[0]))
    return report


@pytest.fixture(scope="session")
def binary(request):
    """Path of the server that is asked; None for the embedded one."""
    return request.config.getoption("--server_binary", default=None)
