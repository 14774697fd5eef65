"""How a server starts and ends: what ends it at once, and what its flags turn on and off."""

import socket

import grpc
import numpy as np
import pytest

from tests.conformance import broken
from tests.conformance import zoo as models
from tests.conformance.cases import case, row
from tests.conformance.configs import config_text, entry, label
from tests.conformance.requests import predict, values
from tests.serving.server.example_version import CLASSIFY, REGRESS

pytestmark = pytest.mark.slow

MAIN = "tensorflow_serving/model_servers/main.cc: main"
BUILD = "tensorflow_serving/model_servers/server.cc: Server::BuildAndStart"
FAST = "tensorflow_serving/core/load_servables_fast.cc: ConnectSourcesWithFastInitialLoad"
HEALTH = f"{BUILD}, enable_grpc_healthcheck_service"
CHECKS = f"{BUILD}, enable_signature_method_name_check"
SERVICES = ("ModelService", "PredictionService")
ONE = np.float32([1.0])


def spoiled(folder, zoo):
    """A folder whose only version cannot be loaded."""
    models.copy(zoo / "numbered/1", folder / "bad/1")
    broken.without_graph(folder / "bad/1")
    return folder / "bad"


def config(folder, *entries):
    path = folder / "models.config"
    path.write_text(config_text(*entries))
    return [f"--model_config_file={path}"]


def half_a_config(folder, zoo):
    path = folder / "models.config"
    path.write_text("model_config_list { config {")
    return [f"--model_config_file={path}"]


def batching(folder, zoo):
    path = folder / "batching.pbtxt"
    path.write_text("max_batch_size { value: 4 } allowed_batch_sizes: 2")
    return ["--enable_batching", f"--batching_parameters_file={path}", *one(folder, zoo)]


def batching_without_its_flag(folder, zoo):
    (folder / "batching.pbtxt").write_text("max_batch_size { value: 4 }")
    return [f"--batching_parameters_file={folder / 'batching.pbtxt'}", *one(folder, zoo)]


def one(folder, zoo):
    return ["--model_name=numbered", f"--model_base_path={zoo / 'numbered'}"]


ENDS = {
    "nothing to serve": (BUILD, lambda folder, zoo: []),
    "a version that cannot be loaded": (
        FAST,
        lambda folder, zoo: ["--model_name=bad", f"--model_base_path={spoiled(folder, zoo)}"],
    ),
    "one of two models": (
        FAST,
        lambda folder, zoo: config(folder, entry("good", zoo / "numbered"), entry("bad", spoiled(folder, zoo))),
    ),
    "a label": (
        "Fact: labels at the start need --allow_version_labels_for_unavailable_models",
        lambda folder, zoo: config(folder, entry("numbered", zoo / "numbered", label("stable", 3))),
    ),
    "half a models.config": (f"{BUILD}, ParseProtoTextFile", half_a_config),
    "no models.config": (
        f"{BUILD}, ParseProtoTextFile",
        lambda folder, zoo: [f"--model_config_file={folder / 'none'}"],
    ),
    "a model without a platform": (
        "tensorflow_serving/model_servers/server_core.cc: GetPlatform",
        lambda folder, zoo: config(folder, entry("numbered", zoo / "numbered", platform=None)),
    ),
    "batching parameters without batching": (BUILD, batching_without_its_flag),
    "batching parameters that cannot be": (
        "tensorflow_serving/batching/batching_session.cc: BatchingSession::Create, allowed_batch_sizes",
        batching,
    ),
}


@pytest.fixture(scope="module")
def ended(serve, zoo, tmp_path_factory):
    """`{name: exit status}` of servers that start at the same time, each with something that ends it."""
    servers = {}
    for index, (name, (_, flags)) in enumerate(ENDS.items()):
        servers[name] = serve(*flags(tmp_path_factory.mktemp(f"start-{index}"), zoo))
    found = {}
    for name, server in servers.items():
        with server:
            found[name] = server.ended()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", [row(name, source, name) for name, (source, _) in ENDS.items()])
def test_a_start_that_cannot_succeed_ends_with_an_error(ended, name):
    assert ended[name] > 0


@pytest.fixture(scope="module")
def flagged(serve, zoo, tmp_path_factory):
    """A server whose flags are not the usual ones: methods are checked, health is told, warm-up is left out."""
    folder = tmp_path_factory.mktemp("flagged")
    models.copy(zoo / "numbered/1", folder / "cold/1")
    broken.warmed_by(broken.predict_log(y=ONE))(folder / "cold/1")
    entries = [entry(name, zoo / name) for name in ("echo", "examples")]
    flags = ("--enable_signature_method_name_check", "--enable_grpc_healthcheck_service", "--enable_model_warmup=false")
    with serve(*config(folder, *entries, entry("cold", folder / "cold")), *flags) as server:
        for name in ("echo", "examples", "cold"):
            server.wait_until_available(name)
        yield server


@case(f"{BUILD}, enable_model_warmup")
def test_warm_up_can_be_left_out(flagged):
    assert values(flagged.ask(predict("cold", x=ONE)), "y") == [11.0]


@case("tensorflow_serving/servables/tensorflow/predict_util.cc: VerifySignature")
def test_methods_can_be_checked(flagged):
    assert flagged.refusal(predict("echo", "odd_method", x=ONE)) == (
        grpc.StatusCode.INTERNAL,
        "Expected prediction signature method_name to be one of {tensorflow/serving/predict, "
        "tensorflow/serving/classify, tensorflow/serving/regress}. Was: somebody/elses/method",
    )


@case(CHECKS)
def test_checked_methods_of_classify_and_regress(flagged):
    from tests.conformance.test_examples import classify, multi, regress

    predicts = "tensorflow/serving/predict"
    for request, method, was in (
        (classify("predict"), f"classification signature method_name to be {CLASSIFY}", predicts),
        (regress("predict"), f"regression signature method_name to be {REGRESS}", predicts),
        (multi(("predict", REGRESS)), f"regression signature method_name to be {REGRESS}", predicts),
        (multi(("regress", CLASSIFY)), f"classification signature method_name to be {CLASSIFY}", REGRESS),
    ):
        assert flagged.refusal(request) == (grpc.StatusCode.INVALID_ARGUMENT, f"Expected {method}. Was: {was}")


@pytest.mark.parametrize("service", [row(name or "all", HEALTH, name) for name in ("", *SERVICES)])
def test_health_is_told(flagged, service):
    assert health(flagged, service) == 1  # SERVING


@case("grpc/src/cpp/server/health/default_health_check_service.cc: HandleRequest")
def test_health_of_what_is_not_there_is_not_found(flagged):
    with pytest.raises(grpc.RpcError) as refused:
        health(flagged, "none")
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND


def health(server, service):
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    request = health_pb2.HealthCheckRequest(service=service)
    return health_pb2_grpc.HealthStub(server.channel).Check(request, timeout=30).status


@case(f"{BUILD}, grpc_port")
def test_the_port_is_the_one_that_was_given(flagged):
    with socket.create_connection(("127.0.0.1", flagged.port), timeout=30):
        pass
