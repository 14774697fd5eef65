"""GetModelStatus, and what a server says to a call that is none of its own."""

import concurrent.futures

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import get_model_status_pb2

from tests.conformance.rpc.cases import case, row
from tests.conformance.rpc.requests import predict, status, values

IMPL = "tensorflow_serving/model_servers/get_model_status_impl.cc: GetModelStatusImpl::GetModelStatusWithModelSpec"
SPEC = "tensorflow_serving/model_servers/get_model_status_impl.cc: GetModelStatusImpl::GetModelStatus"
TIMEOUT = "tensorflow_serving/model_servers/prediction_service_impl.cc: PredictionServiceImpl::Predict"
METHODS = "tensorflow_serving/apis/prediction_service.proto: PredictionService"
GRPC = "grpc/src/cpp/server/server_cc.cc: Server::UnimplementedAsyncResponse"
PARSING = "grpc/include/grpcpp/impl/proto_utils.h: GenericDeserialize"
INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE


def listed(response):
    return [(each.version, each.state) for each in response.model_version_status]


@case("tensorflow_serving/core/servable_state_monitor.h: ServableStateMonitor::VersionMap, the newest first")
def test_all_versions_come_the_newest_first(ask):
    assert listed(ask(status("numbered"))) == [(3, AVAILABLE), (2, AVAILABLE), (1, AVAILABLE)]


@case(IMPL)
def test_one_version_comes_alone(ask):
    assert listed(ask(status("numbered", version=2))) == [(2, AVAILABLE)]


@case("Fact: GetModelStatus ignores the label and lists all versions")
def test_a_label_does_not_matter(ask):
    assert len(listed(ask(status("numbered", label="stable")))) == 3


@case("Fact: GetModelStatus ignores the label and lists all versions")
def test_a_label_that_is_none_does_not_matter(ask):
    assert len(listed(ask(status("numbered", label="none")))) == 3


@case("tensorflow_serving/util/status_util.cc: ToStatusProto")
def test_what_is_well_has_an_empty_status(ask):
    (one,) = ask(status("echo")).model_version_status
    assert (one.status.error_code, one.status.error_message) == (0, "")


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        row("no spec", SPEC, get_model_status_pb2.GetModelStatusRequest(), INVALID, "Missing ModelSpec"),
        row("no name", IMPL, status(""), NOT_FOUND, "Could not find any versions of model "),
        row("an unknown model", IMPL, status("x"), NOT_FOUND, "Could not find any versions of model x"),
        row("an unknown version", IMPL, status("echo", version=7), NOT_FOUND, "Could not find version 7 of model echo"),
        row("version 0", IMPL, status("echo", version=0), NOT_FOUND, "Could not find version 0 of model echo"),
    ],
)
def test_refused(refusal, request_, code, message):
    assert refusal(request_) == (code, message)


def called(served, method, raw=b""):
    with pytest.raises(grpc.RpcError) as refused:
        served.channel.unary_unary(method)(raw, timeout=30)
    return refused.value.code()


@pytest.mark.parametrize(
    "method",
    [
        row("a method of the service", METHODS, "/tensorflow.serving.PredictionService/Train"),
        row("the service of sessions", METHODS, "/tensorflow.serving.SessionService/SessionRun"),
        row("a service of others", GRPC, "/grpc.testing.TestService/EmptyCall"),
        row("no method", GRPC, "/tensorflow.serving.PredictionService/"),
        row("other letters", GRPC, "/tensorflow.serving.predictionservice/Predict"),
    ],
)
def test_what_is_no_method_is_unimplemented(served, method):
    assert called(served, method) == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    "method",
    [
        row("Predict", PARSING, "/tensorflow.serving.PredictionService/Predict"),
        row("Classify", PARSING, "/tensorflow.serving.PredictionService/Classify"),
        row("Regress", PARSING, "/tensorflow.serving.PredictionService/Regress"),
        row("MultiInference", PARSING, "/tensorflow.serving.PredictionService/MultiInference"),
        row("GetModelMetadata", PARSING, "/tensorflow.serving.PredictionService/GetModelMetadata"),
        row("GetModelStatus", PARSING, "/tensorflow.serving.ModelService/GetModelStatus"),
        row("HandleReloadConfigRequest", PARSING, "/tensorflow.serving.ModelService/HandleReloadConfigRequest"),
    ],
)
def test_what_is_no_message_is_an_internal_error(served, method):
    assert called(served, method, b"\xff\xff\xff") == grpc.StatusCode.INTERNAL


@case(TIMEOUT)
def test_a_call_ends_with_its_deadline(served):
    slow = predict("echo", "spin", x=np.int64([10**7]))
    assert served.refusal(slow, timeout=0.3)[0] == grpc.StatusCode.DEADLINE_EXCEEDED
    assert values(served.ask(predict("echo", "spin", x=np.int64([10]))), "count") == [10]


@case(TIMEOUT)
def test_a_long_request_holds_up_no_short_one(served):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        long = pool.submit(served.ask, predict("echo", "spin", x=np.int64([300_000])))
        for _ in range(5):
            served.ask(predict("echo", text=["a"]))
        assert values(long.result(), "count") == [300_000]


@case("tensorflow_serving/model_servers/server.h: Server::Options::grpc_max_threads")
def test_many_callers_get_their_own_answers(served):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [predict("echo", "two", ["sum"], a=np.float32([n]), b=np.float32([1])) for n in range(200)]
        found = [values(response, "sum") for response in pool.map(served.ask, asked)]
    assert found == [[number + 1.0] for number in range(200)]
