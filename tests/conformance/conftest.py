"""The suite's flag --server_binary, its rule that every case has a source, and the servers that its modules share."""

import pathlib

import pytest

from tests.conformance.cases import source_of
from tests.conformance.model_server import ModelServer
from tests.once import made_once

HERE = pathlib.Path(__file__).parent


def pytest_addoption(parser):
    parser.addoption("--server_binary", help="tensorflow_model_server to hold to the cases; default: the embedded one")


def pytest_configure(config):
    config.addinivalue_line("markers", "case(source): what of the real server a case of tests/conformance rests on")


def pytest_collection_modifyitems(items):
    silent = [item.nodeid for item in items if HERE in item.path.parents and not source_of(item)]
    if silent:
        raise pytest.UsageError(f"cases without a source (see tests/conformance/cases.py): {', '.join(silent)}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.failed and (source := source_of(item)):
        report.sections.append(("The real server", source))


@pytest.fixture(scope="session")
def server_binary(request):
    """Path of the server to ask; None for the embedded one."""
    return request.config.getoption("--server_binary", None)


@pytest.fixture(scope="session")
def zoo(tmp_path_factory):
    """Folder of every model of zoo.py; leave its files as they are."""
    from tests.conformance.zoo import build  # it imports TensorFlow

    return made_once(tmp_path_factory, "conformance-zoo", build)


@pytest.fixture(scope="session")
def serve(server_binary):
    """serve(*flags) is a ModelServer, a context manager."""
    return lambda *flags, **given: ModelServer(server_binary, *flags, **given)


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
