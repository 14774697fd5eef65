"""What any server that claims to be TensorFlow Serving is asked, and what each case rests on.

    pytest tests/conformance --server_binary=/usr/bin/tensorflow_model_server

asks the real one; without the flag it is Slipway's embedded server. Each case carries
`@pytest.mark.conforms("…")`: the file of TensorFlow Serving that says so, or the behaviour that a real server showed.
"""

import pathlib

import pytest

from tests.conformance.server import Server, models_config
from tests.serving.server.running import Caller
from tests.serving.tiny_version import real_version

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


@pytest.fixture(scope="session")
def start(binary):
    """start(*flags) gives a Server, to be used as a context manager."""
    return lambda *flags, **given: Server(binary, *flags, **given)


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder with `reviews` (version 1), `examples` (3) and `types` (1)."""
    from tests.conformance.types_version import types_version  # it imports TensorFlow
    from tests.serving.server.example_version import example_version

    folder = tmp_path_factory.mktemp("models")
    real_version(folder / "reviews" / "1", bias=-1.0)
    example_version(folder / "examples" / "3")
    types_version(folder / "types" / "1")
    return folder


@pytest.fixture(scope="session")
def served(models, start, tmp_path_factory):
    """(HttpCaller, Caller) of a server of `models`; reviews' version is labelled stable."""
    own = tmp_path_factory.mktemp("served")
    listed = [{"name": name, "base_path": models / name} for name in ("reviews", "examples", "types")]
    listed[0]["labels"] = {"stable": 1}
    monitoring = own / "monitoring.config"
    monitoring.write_text('prometheus_config { enable: true path: "/monitoring/prometheus/metrics" }')
    flags = ("--rest_api_enable_cors_support", f"--monitoring_config_file={monitoring}")
    # At its start the real one refuses labels without it, whether or not the versions are there.
    ahead = "--allow_version_labels_for_unavailable_models"
    with start(f"--model_config_file={models_config(own, *listed)}", ahead, *flags) as server:
        with server.ready("reviews", "examples", "types") as caller:
            yield server.rest, caller
        assert "Traceback" not in server.log()


@pytest.fixture
def rest(served):
    return served[0]


@pytest.fixture
def reviews(served):
    return served[1]


@pytest.fixture(scope="session")
def examples_served(served):
    """A Caller of the model that takes tf.Examples."""
    with Caller(served[1].address, "examples") as caller:
        yield caller
