"""Predict: every wrong request and its status, and every form that a tensor may come in."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

from tests.conformance.types_version import DTYPES
from tests.serving.server.running import Caller, predict_request, refusal

INVALID, NOT_FOUND, PRECONDITION, INTERNAL = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.INTERNAL,
)
pytestmark = pytest.mark.conforms("tensorflow_serving/servables/tensorflow/predict_util.cc: PreProcessPrediction")
CORE = pytest.mark.conforms("tensorflow_serving/model_servers/server_core.cc: ServableRequestFromModelSpec")
LABELS = pytest.mark.conforms("tensorflow_serving/model_servers/server_core.cc: GetModelVersionForLabel")
SERVICE = pytest.mark.conforms("tensorflow_serving/servables/tensorflow/predict_impl.cc: Predict")
TENSORS = pytest.mark.conforms("tensorflow/core/framework/tensor.cc: Tensor::FromProto")
SESSION = pytest.mark.conforms("tensorflow/core/common_runtime/direct_session.cc: RunInternal, CheckArgTypes")


@pytest.fixture(scope="session")
def types(served):
    """A Caller of the model that gives back what it gets."""
    with Caller(served[1].address, "types") as caller:
        yield caller


def spec(**fields):
    return lambda request: [setattr(request.model_spec, name, value) for name, value in fields.items()]


def tensor(name, values):
    return lambda request: request.inputs[name].CopyFrom(tf.make_tensor_proto(values))


def version(number):
    return lambda request: setattr(request.model_spec.version, "value", number)


def size(number):
    return lambda request: setattr(request.inputs["text"].tensor_shape.dim[0], "size", number)


def dtype(number):
    return lambda request: setattr(request.inputs["text"], "dtype", number)


def renamed(request):
    request.inputs["texts"].CopyFrom(request.inputs.pop("text"))


def unknown_rank(request):
    request.inputs["text"].tensor_shape.unknown_rank = True


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        pytest.param(lambda r: r.ClearField("model_spec"), INVALID, "Missing ModelSpec", marks=SERVICE),
        pytest.param(spec(name=""), INVALID, "ModelSpec has no name specified.", marks=CORE),
        pytest.param(spec(name="x"), NOT_FOUND, "Servable not found for request: Latest(x)", marks=CORE),
        pytest.param(spec(name="../x"), NOT_FOUND, "Servable not found for request: Latest(../x)", marks=CORE),
        pytest.param(version(7), NOT_FOUND, "Servable not found for request: Specific(reviews, 7)", marks=CORE),
        pytest.param(version(-1), NOT_FOUND, "Servable not found for request: Specific(reviews, -1)", marks=CORE),
        pytest.param(spec(version_label="no"), INVALID, "Unrecognized servable version label: no", marks=LABELS),
        (spec(signature_name="no"), PRECONDITION, 'Serving signature key "no" not found.'),
        (spec(signature_name="__saved_model_init_op"), PRECONDITION, "not found."),
        (
            lambda r: r.inputs.clear(),
            INVALID,
            "input size does not match signature: 0!=1 len({}) != len({text}). Sent extra: {}. "
            "Missing but required: {text}.",
        ),
        (tensor("more", ["x"]), INVALID, "Sent extra: {more}. Missing but required: {}."),
        (renamed, INVALID, "Signature input alias: text"),
        (size(-1), INVALID, "tensor parsing error: text"),
        (size(1 << 62), INVALID, "tensor parsing error: text"),
        (unknown_rank, INVALID, "tensor parsing error: text"),
        (dtype(0), INVALID, "tensor parsing error: text"),
        (dtype(99), INVALID, "tensor parsing error: text"),
        pytest.param(tensor("text", [1.0]), INVALID, "to be string but float is provided", marks=SESSION),
        pytest.param(tensor("text", [1]), INVALID, "to be string but int32 is provided", marks=SESSION),
        (
            lambda r: r.output_filter.append("no"),
            INVALID,
            "output tensor alias not found in signature: no Outputs expected to be in the set "
            "{label,probabilities,score,truncated}.",
        ),
        (lambda r: r.output_filter.extend(["score", "score"]), INVALID, "duplicate output tensor alias: score"),
    ],
)
def test_a_wrong_request(reviews, change, code, message):
    request = predict_request(["good"])
    change(request)
    got, said = refusal(reviews.prediction.Predict, request)
    assert got == code and message in said


@pytest.mark.parametrize("output", ["label", "probabilities", "score", "truncated"])
def test_a_filter_keeps_what_it_names(reviews, output):
    request = predict_request(["good", "long enough to be positive"])
    request.output_filter.append(output)
    assert list(reviews.prediction.Predict(request, timeout=30).outputs) == [output]


@pytest.mark.parametrize("asked", [{}, {"version": 1}, {"label": "stable"}])
@CORE
def test_the_answer_names_its_version(reviews, asked):
    request = predict_request(["good"])
    if "version" in asked:
        request.model_spec.version.value = 1
    if "label" in asked:
        request.model_spec.version_label = "stable"
    found = reviews.prediction.Predict(request, timeout=30).model_spec
    assert (found.name, found.version.value, found.signature_name) == ("reviews", 1, "serving_default")


FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.float16: "half_val",
    tf.bfloat16: "half_val",
    tf.int64: "int64_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}  # the others: int_val
VALUES = {
    tf.string: [b"a\0b", b"", "中文 😀".encode(), b"\xff\xfe"],
    tf.bool: [True, False, True],
}


def values(dtype):
    whole = [0, 1, 2, 100] if dtype.is_unsigned else [0, -1, 2, 100]
    return VALUES.get(dtype, whole if dtype.is_integer else [0.0, -1.5, float("inf"), 3.0])


def in_field(dtype, values, shape=None):
    """A TensorProto that holds the values in the repeated field of its dtype."""
    array = np.array(values, object if dtype == tf.string else dtype.as_numpy_dtype)
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum)
    proto.tensor_shape.SetInParent()
    for each in [len(values)] if shape is None else shape:
        proto.tensor_shape.dim.add(size=each)
    field = FIELDS.get(dtype, "int_val")
    getattr(proto, field).extend((array.view(np.uint16) if field == "half_val" else array).tolist())
    return proto


def echoed(types, dtype, proto):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "types", f"echo_{dtype.name}"
    request.inputs["x"].CopyFrom(proto)
    return types.prediction.Predict(request, timeout=30).outputs["y"]


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.name)
@TENSORS
def test_values_come_back_from_their_field(types, dtype):
    given = in_field(dtype, values(dtype))
    found = echoed(types, dtype, given)
    assert not found.tensor_content, "the server answers in the repeated fields"
    np.testing.assert_array_equal(tf.make_ndarray(found), tf.make_ndarray(given))


@pytest.mark.parametrize("dtype", [each for each in DTYPES if each != tf.string], ids=lambda dtype: dtype.name)
@TENSORS
def test_values_come_back_from_tensor_content(types, dtype):
    array = np.array(values(dtype)).astype(dtype.as_numpy_dtype)
    given = in_field(dtype, [], [len(array)])
    given.tensor_content = array.tobytes()
    np.testing.assert_array_equal(tf.make_ndarray(echoed(types, dtype, given)), array)


@pytest.mark.parametrize("dtype", [tf.float32, tf.int32, tf.int64, tf.bool, tf.string], ids=lambda dtype: dtype.name)
@TENSORS
def test_what_is_left_out_repeats_the_last_value(types, dtype):
    found = tf.make_ndarray(echoed(types, dtype, in_field(dtype, values(dtype)[:2], [5]))).tolist()
    assert found == values(dtype)[:2] + values(dtype)[1:2] * 3


@pytest.mark.parametrize("shape", [[], [0], [2, 2], [1, 0, 3], [1] * 8], ids=str)
@TENSORS
def test_any_shape_comes_back(types, shape):
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    assert tf.make_ndarray(echoed(types, tf.float32, tf.make_tensor_proto(array))).shape == tuple(shape)


@TENSORS
def test_content_of_another_length_than_the_shape_says(types):
    given = in_field(tf.float32, [], [2])
    given.tensor_content = b"\0" * 7
    with pytest.raises(grpc.RpcError) as refused:
        echoed(types, tf.float32, given)
    assert refused.value.code() == INVALID


def two(types, **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "types", "two"
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def test_several_inputs_and_outputs(types):
    answer = types.prediction.Predict(two(types, a=[3.0, 4.0], b=[1.0, 1.0]), timeout=30)
    assert {name: list(each.float_val) for name, each in answer.outputs.items()} == {
        "sum": [4.0, 5.0],
        "difference": [2.0, 3.0],
    }


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"a": [1.0]}, "Sent extra: {}. Missing but required: {b}."),
        ({"a": [1.0], "c": [1.0]}, "Signature input alias: b"),
        ({"a": [1.0], "b": [1.0], "c": [1.0]}, "Sent extra: {c}. Missing but required: {}."),
        ({"a": [1.0], "b": ["x"]}, "to be float but string is provided"),
        ({"a": [1.0, 2.0], "b": [1.0, 2.0, 3.0]}, "Incompatible shapes"),
    ],
)
def test_wrong_inputs_of_several(types, inputs, said):
    code, message = refusal(types.prediction.Predict, two(types, **inputs))
    assert code == INVALID and said in message


@pytest.mark.conforms("tensorflow/core/protobuf/meta_graph.proto: SignatureDef.defaults; predict_util.cc")
@pytest.mark.parametrize(("given", "found"), [({"x": [1.0]}, 11.0), ({"x": [1.0], "more": [2.0]}, 3.0)])
def test_defaults_of_a_signature(types, given, found):
    request = two(types, **given)
    request.model_spec.signature_name = "filled"
    assert list(types.prediction.Predict(request, timeout=30).outputs["y"].float_val) == [found]


@SESSION
def test_an_error_of_the_graph_is_the_callers(types):
    request = predict_request(["no number"], "types", "fails")
    code, said = refusal(types.prediction.Predict, request)
    assert code == INVALID and "StringToNumberOp could not correctly convert string: no number" in said


@pytest.mark.conforms("tensorflow_serving/model_servers/grpc_status_util.cc: ToGRPCStatus cuts messages at 1024")
def test_long_messages_are_cut(types):
    code, said = refusal(types.prediction.Predict, predict_request(["x" * 5000], "types", "fails"))
    assert code == INVALID and len(said) == 1024 + len("...TRUNCATED") and said.endswith("...TRUNCATED")


@pytest.mark.conforms("grpc/src/cpp: a message that cannot be parsed ends in INTERNAL")
@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"\x0a\x05ab", b"\x12"], ids=repr)
def test_bytes_that_are_no_request(reviews, raw):
    ask = reviews.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    assert refusal(lambda request: ask(request, timeout=30), raw)[0] == INTERNAL


@pytest.mark.conforms("grpc/src/cpp/server: a method that is not registered is UNIMPLEMENTED")
@pytest.mark.parametrize("service", ["PredictionService", "ModelService", "NoService"])
def test_an_unknown_method(reviews, service):
    ask = reviews.channel.unary_unary(f"/tensorflow.serving.{service}/Guess")
    assert refusal(lambda request: ask(request, timeout=30), b"")[0] == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.conforms("tensorflow_serving/model_servers/server.cc: SetMaxMessageSize(INT_MAX)")
def test_large_messages_both_ways(reviews):
    assert len(reviews.predict(["x" * 1000] * 6000, timeout=60).outputs["score"].float_val) == 6000
    assert len(reviews.predict(["good"] * 300_000, timeout=60).outputs["label"].string_val) == 300_000


@pytest.mark.conforms("without batching an empty batch is run as any other")
def test_an_empty_batch(reviews):
    assert tf.make_ndarray(reviews.predict([]).outputs["probabilities"]).shape == (0, 2)


@pytest.mark.conforms("grpc: the caller's deadline ends the call")
def test_a_deadline(reviews):
    with pytest.raises(grpc.RpcError) as late:
        reviews.predict(["300000"], signature="spin", timeout=0.2)
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert reviews.predict(["good"]).model_spec.version.value == 1
