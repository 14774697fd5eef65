"""Predict: its answers, and the status and words of every request that it refuses."""

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import predict_pb2

from tests.conformance.rpc.cases import case, row
from tests.conformance.rpc.requests import arrays, predict, tensor, values

PREDICT = "tensorflow_serving/servables/tensorflow/predict_util.cc: RunPredict"
INPUTS = "tensorflow_serving/servables/tensorflow/predict_util.cc: VerifyRequestInputsSize"
FILTER = "tensorflow_serving/servables/tensorflow/predict_util.cc: PreProcessPrediction"
VALUES = "tensorflow/cc/saved_model/util.cc: GetInputValues"
MODEL = "tensorflow_serving/model_servers/server_core.cc: ServerCore::ServableRequestFromModelSpec"
MANAGER = "tensorflow_serving/core/basic_manager.cc: BasicManager::ServingMap::GetUntypedServableHandle"
MISSING = "tensorflow_serving/servables/tensorflow/predict_impl.cc: TensorflowPredictor::Predict"
FRAME = "tensorflow/core/framework/function.cc: FunctionCallFrame::SetArgs"
SESSION = "tensorflow/core/common_runtime/direct_session.cc: DirectSession::Run"
METHOD_NAME = "tensorflow_serving/model_servers/server.h: Server::Options::enable_signature_method_name_check = false"
STATUS = "tensorflow_serving/model_servers/grpc_status_util.cc: ToGRPCStatus"
INVALID, NOT_FOUND, PRECONDITION, INTERNAL = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.INTERNAL,
)
ONE = np.float32([1.0])


@case(PREDICT)
def test_all_outputs_come_with_the_spec_of_who_answered(ask):
    response = ask(predict("echo", text=["a", "bc"]))
    assert sorted(response.outputs) == ["length", "text"]
    assert values(response, "length") == [1, 2]
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("echo", 1, "serving_default")


@case(PREDICT)
def test_a_signature_is_asked_by_its_name(ask):
    response = ask(predict("echo", "two", a=ONE, b=ONE))
    assert values(response, "sum") == [2.0] and response.model_spec.signature_name == "two"


@case(FILTER)
def test_a_filter_keeps_the_named_outputs(ask):
    response = ask(predict("echo", "two", ["difference"], a=ONE, b=ONE))
    assert list(response.outputs) == ["difference"]


@case(MANAGER)
def test_without_a_version_the_newest_one_answers(ask):
    response = ask(predict("numbered", x=ONE))
    assert response.model_spec.version.value == 3 and values(response, "y") == [31.0]


@case(MODEL)
def test_a_version_is_asked_by_its_number(ask):
    response = ask(predict("numbered", version=1, x=ONE))
    assert response.model_spec.version.value == 1 and values(response, "y") == [11.0]


@case("tensorflow_serving/model_servers/server_core.cc: ServerCore::GetModelVersionForLabel")
def test_a_version_is_asked_by_its_label(ask):
    response = ask(predict("numbered", label="stable", x=ONE))
    assert response.model_spec.version.value == 1 and response.model_spec.version_label == ""


@case(VALUES)
def test_a_default_fills_in(ask):
    assert values(ask(predict("echo", "defaulted", a=np.float32([1, 2]))), "sum") == [1.5, 3.5]


@case(VALUES)
def test_what_is_given_goes_before_the_default(ask):
    assert values(ask(predict("echo", "defaulted", a=ONE, b=ONE)), "sum") == [2.0]


@case(METHOD_NAME)
def test_a_signature_of_another_method_is_answered(ask):
    assert values(ask(predict("echo", "odd_method", x=ONE)), "y") == [2.0]


@case("tensorflow_serving/servables/tensorflow/predict_util.cc: PostProcessPredictionResult, Tensor::AsProtoField")
def test_numbers_come_back_in_the_field_of_their_dtype(ask):
    output = ask(predict("echo", "two", ["sum"], a=ONE, b=ONE)).outputs["sum"]
    assert list(output.float_val) == [2.0] and output.tensor_content == b""


@case("Fact: without --enable_batching a scalar succeeds where the signature says [None]")
def test_a_scalar_is_run_as_it_is(ask):
    response = arrays(ask(predict("echo", "two", a=np.float32(1), b=np.float32(2))))
    assert response["sum"].shape == () and response["sum"] == 3.0


@case(SESSION)
def test_a_shape_that_the_graph_can_run_is_run(ask):
    response = arrays(ask(predict("echo", "two", a=np.ones((2, 2), np.float32), b=ONE)))
    assert response["sum"].tolist() == [[2.0, 2.0], [2.0, 2.0]]


@case(SESSION)
def test_an_empty_batch_is_answered_with_none(ask):
    response = arrays(ask(predict("echo", "matrix", x=np.zeros((0, 3), np.float32))))
    assert response["y"].shape == (0, 2)


@case(SESSION)
def test_an_output_may_be_a_scalar(ask):
    assert arrays(ask(predict("echo", "scalar", x=np.float32([1, 2]))))["total"].shape == ()


def edited(change, **given):
    request = predict("echo", **(given or {"text": ["a"]}))
    change(request)
    return request


def clear_spec(request):
    request.ClearField("model_spec")


MESSAGE = (
    "input size does not match signature: {sent}!={wanted} len({{{names}}}) != len({{{expected}}}). "
    "Sent extra: {{{extra}}}. Missing but required: {{{missing}}}."
)


def sizes(**given):
    return MESSAGE.format(**given)


REFUSED = [
    row("no spec", MISSING, edited(clear_spec), INVALID, "Missing ModelSpec"),
    row("an empty message", MISSING, predict_pb2.PredictRequest(), INVALID, "Missing ModelSpec"),
    row("no name", MODEL, predict("", text=["a"]), INVALID, "ModelSpec has no name specified."),
    row("an unknown model", MANAGER, predict("x"), NOT_FOUND, "Servable not found for request: Latest(x)"),
    row(
        "an unknown version",
        MANAGER,
        predict("echo", version=7, text=["a"]),
        NOT_FOUND,
        "Servable not found for request: Specific(echo, 7)",
    ),
    row(
        "a negative version",
        MANAGER,
        predict("echo", version=-1, text=["a"]),
        NOT_FOUND,
        "Servable not found for request: Specific(echo, -1)",
    ),
    row(
        "an unknown label",
        "tensorflow_serving/model_servers/server_core.cc: ServerCore::GetModelVersionForLabel",
        predict("echo", label="canary", text=["a"]),
        INVALID,
        "Unrecognized servable version label: canary",
    ),
    row(
        "an empty label",
        "tensorflow_serving/model_servers/server_core.cc: ServerCore::GetModelVersionForLabel",
        predict("echo", label="", text=["a"]),
        INVALID,
        "Unrecognized servable version label: ",
    ),
    row(
        "a label of an unknown model",
        "tensorflow_serving/model_servers/server_core.cc: ServerCore::GetModelVersionForLabel",
        predict("x", label="stable", text=["a"]),
        INVALID,
        "Unrecognized servable version label: stable",
    ),
    row(
        "another model's label",
        "tensorflow_serving/model_servers/server_core.cc: ServerCore::GetModelVersionForLabel",
        predict("echo", label="stable", text=["a"]),
        INVALID,
        "Unrecognized servable version label: stable",
    ),
    row(
        "an unknown signature",
        PREDICT,
        predict("echo", "none", text=["a"]),
        PRECONDITION,
        'Serving signature key "none" not found.',
    ),
    row(
        "no input",
        INPUTS,
        predict("echo"),
        INVALID,
        sizes(sent=0, wanted=1, names="", expected="text", extra="", missing="text"),
    ),
    row(
        "one input too many",
        INPUTS,
        predict("echo", text=["a"], more=["b"]),
        INVALID,
        sizes(sent=2, wanted=1, names="more,text", expected="text", extra="more", missing=""),
    ),
    row(
        "one input too few",
        INPUTS,
        predict("echo", "two", a=ONE),
        INVALID,
        sizes(sent=1, wanted=2, names="a", expected="a,b", extra="", missing="b"),
    ),
    row(
        "too many beside a default",
        INPUTS,
        predict("echo", "defaulted", a=ONE, b=ONE, c=ONE),
        INVALID,
        sizes(sent=3, wanted=2, names="a,b,c", expected="a,b", extra="c", missing=""),
    ),
    row(
        "a wrong name for the input",
        VALUES,
        predict("echo", "of_float32", y=ONE),
        INVALID,
        "not found in request and no default value provided. Inputs expected to be in the request {y}, or default "
        "input alias set: ",
    ),
    row(
        "a wrong name beside a default",
        VALUES,
        predict("echo", "defaulted", a=ONE, c=ONE),
        INVALID,
        "Inputs contains invalid name. Used request inputs: a, request input: a,c",
    ),
    row(
        "only what has a default",
        VALUES,
        predict("echo", "defaulted", b=ONE),
        INVALID,
        "not found in request and no default value provided. Inputs expected to be in the request {b}, or default "
        "input alias set: b",
    ),
    row(
        "an unknown output",
        FILTER,
        predict("echo", "two", ["product"], a=ONE, b=ONE),
        INVALID,
        "output tensor alias not found in signature: product Outputs expected to be in the set {difference,sum}.",
    ),
    row(
        "an output twice",
        FILTER,
        predict("echo", "two", ["sum", "sum"], a=ONE, b=ONE),
        INVALID,
        "duplicate output tensor alias: sum",
    ),
    row(
        "an unknown output before a wrong dtype",
        FILTER,
        predict("echo", "two", ["product"], a=[1], b=ONE),
        INVALID,
        "output tensor alias not found in signature: product",
    ),
    row("an integer for a float", FRAME, predict("echo", "of_float32", x=[1]), INVALID, "to be float but int32 is"),
    row(
        "a double for a float",
        FRAME,
        predict("echo", "of_float32", x=np.float64([1])),
        INVALID,
        "Expects arg[0] to be float but double is provided",
    ),
    row(
        "a text for a number",
        FRAME,
        predict("echo", "of_int64", x=["1"]),
        INVALID,
        "Expects arg[0] to be int64 but string is provided",
    ),
    row(
        "a number for a text",
        FRAME,
        predict("echo", text=ONE),
        INVALID,
        "Expects arg[0] to be string but float is provided",
    ),
    row(
        "the second of two inputs",
        FRAME,
        predict("echo", "two", a=ONE, b=[1]),
        INVALID,
        "Expects arg[1] to be float but int32 is provided",
    ),
    row(
        "a shape that the graph cannot run",
        "tensorflow/core/kernels/matmul_op_impl.h: BaseBatchMatMulOp::Compute",
        predict("echo", "matrix", x=np.ones((2, 4), np.float32)),
        INVALID,
        "Matrix size-incompatible: In[0]: [2,4], In[1]: [3,2]",
    ),
    row(
        "rows that do not go together",
        "tensorflow/core/kernels/cwise_ops_common.cc: BinaryOpShared::BinaryOpState",
        predict("echo", "two", a=np.float32([1, 2]), b=np.float32([1, 2, 3])),
        INVALID,
        "Incompatible shapes: [2] vs. [3]",
    ),
    row(
        "an op that fails",
        "tensorflow/core/kernels/string_to_number_op.cc: StringToNumberOp::Compute",
        predict("echo", "number", text=["12", "twelve"]),
        INVALID,
        "StringToNumberOp could not correctly convert string: twelve",
    ),
    row(
        "a compiled function",
        "Fact: a jit_compile=True function fails with INTERNAL unless the XLA flag is given",
        predict("echo", "compiled", x=ONE),
        INTERNAL,
        "XLA compilation disabled",
    ),
]


@pytest.mark.parametrize(("request_", "code", "message"), REFUSED)
def test_refused(refusal, request_, code, message):
    answered, said = refusal(request_)
    assert (answered, message in said) == (code, True), said


@case(STATUS)
def test_a_long_message_is_cut(refusal):
    code, said = refusal(predict("echo", "s" * 2000, text=["a"]))
    assert code == PRECONDITION
    assert said == ('Serving signature key "' + "s" * 2000)[:1024] + "...TRUNCATED"


@case(STATUS)
def test_the_next_request_is_answered_after_every_refusal(ask, refusal):
    refusal(predict("echo", "compiled", x=ONE))
    refusal(predict("echo", "number", text=["twelve"]))
    assert values(ask(predict("echo", "number", text=["12"])), "value") == [12.0]


@case(PREDICT)
def test_the_version_number_of_a_tensor_does_not_matter(ask):
    given = tensor(ONE)
    given.version_number = 7
    assert values(ask(predict("echo", "of_float32", x=given)), "x") == [1.0]
