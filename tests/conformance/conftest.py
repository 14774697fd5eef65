"""The flag --server_binary, the rule that every case says what it rests on, and the servers that many cases share.

    pytest tests/conformance --server_binary=/usr/bin/tensorflow_model_server

asks the real one; without the flag it is Slipway's embedded server.
"""

import pathlib

import pytest

from tests.conformance.model_server import ModelServer
from tests.once import made_once

HERE = pathlib.Path(__file__).parent


def pytest_addoption(parser):
    parser.addoption("--server_binary", default=None, help="Server to hold to the cases; default: the embedded one.")


def pytest_collection_modifyitems(items):
    cases = [item for item in items if HERE in item.path.parents]
    silent = [item.nodeid for item in cases if item.get_closest_marker("conforms") is None]
    if silent:
        raise pytest.UsageError(f"cases without a source (see tests/conformance/cases.py): {', '.join(silent)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and (rests := item.get_closest_marker("conforms")):
        report.sections.append(("rests on", rests.args[0]))
    return report


@pytest.fixture(scope="session")
def binary(request):
    """Path of the server to ask; None for the embedded one."""
    return request.config.getoption("--server_binary", None)


@pytest.fixture(scope="session")
def zoo(tmp_path_factory):
    """Folder of every model of zoo.py; leave its files as they are."""
    from tests.conformance.zoo import build  # it imports TensorFlow

    return made_once(tmp_path_factory, "conformance-zoo", build)


@pytest.fixture(scope="session")
def serve(binary):
    """serve(*flags) is a ModelServer, a context manager."""
    return lambda *flags, **given: ModelServer(binary, *flags, **given)


@pytest.fixture(scope="session")
def served(serve, zoo, tmp_path_factory):
    """A ModelServer of the whole zoo: all versions of `numbered`, of which, as of `reviews`, 1 is labelled stable."""
    from tests.conformance.configs import config_text, entry

    policy = "model_version_policy { all {} }"
    label = 'version_labels { key: "stable" value: 1 }'
    entries = [entry("echo", zoo / "echo"), entry("examples", zoo / "examples")]
    entries.append(entry("numbered", zoo / "numbered", policy, label))
    entries.append(entry("reviews", zoo / "reviews", label))
    folder = tmp_path_factory.mktemp("served")
    (folder / "models.config").write_text(config_text(*entries))
    (folder / "monitoring").write_text('prometheus_config { enable: true path: "/monitoring/prometheus/metrics" }')
    flags = (f"--model_config_file={folder / 'models.config'}", "--allow_version_labels_for_unavailable_models")
    rest = ("--rest_api_enable_cors_support", f"--monitoring_config_file={folder / 'monitoring'}")
    with serve(*flags, *rest) as server:
        for name in ("echo", "examples", "numbered", "reviews"):
            server.wait_until_available(name)
        server.wait_until_available("numbered", 1)
        yield server


@pytest.fixture
def rest(served):
    """An HttpCaller of the shared server."""
    return served.rest


@pytest.fixture
def ask(served):
    """ask(request) is the answer of the shared server, or grpc.RpcError."""
    return served.ask


@pytest.fixture
def refusal(served):
    """refusal(request) is (code, message) of a request that the shared server must refuse."""
    return served.refusal
