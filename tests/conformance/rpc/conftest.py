"""The servers and models that the cases of this folder share."""

import pytest

from tests.conformance.rpc.configs import ALL, config_text, entry, label
from tests.conformance.rpc.model_server import ModelServer
from tests.once import made_once


@pytest.fixture(scope="session")
def zoo(tmp_path_factory):
    """Folder of every model of zoo.py; leave its files as they are."""
    from tests.conformance.rpc.zoo import build  # it imports TensorFlow

    return made_once(tmp_path_factory, "conformance-zoo", build)


@pytest.fixture(scope="session")
def serve(binary):
    """serve(*flags) is a ModelServer, a context manager."""
    return lambda *flags: ModelServer(binary, *flags)


@pytest.fixture(scope="session")
def served(serve, zoo, tmp_path_factory):
    """A ModelServer of `echo`, `examples` and `numbered`, all versions, the first one labelled stable."""
    entries = [entry("echo", zoo / "echo"), entry("examples", zoo / "examples")]
    entries.append(entry("numbered", zoo / "numbered", ALL, label("stable", 1)))
    path = tmp_path_factory.mktemp("served") / "models.config"
    path.write_text(config_text(*entries))
    with serve(f"--model_config_file={path}", "--allow_version_labels_for_unavailable_models") as server:
        for name in ("echo", "examples", "numbered"):
            server.wait_until_available(name)
        server.wait_until_available("numbered", 1)
        yield server


@pytest.fixture
def ask(served):
    """ask(request) is the answer of the shared server, or grpc.RpcError."""
    return served.ask


@pytest.fixture
def refusal(served):
    """refusal(request) is (code, message) of a request that the shared server must refuse."""
    return served.refusal
