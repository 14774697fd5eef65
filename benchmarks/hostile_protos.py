"""Hostile calls of every RPC: hypothesis strategies for the bytes of a request.

Wrong dtypes and shapes, tensors that claim more than they hold, tf.Examples, names that are none, configs that list
nonsense, messages cut short, changed in some bytes, with fields that nobody knows, or no messages at all.
"""

import dataclasses

from hypothesis import strategies as st
from tensorflow.core.example import example_pb2
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

from benchmarks.hostile_names import INPUTS, METHODS, SIGNATURES, mostly, numbers, octets, texts
from serving.server import model_list
from serving.server.status import StatusError

PREDICTION, MODEL = "/tensorflow.serving.PredictionService/", "/tensorflow.serving.ModelService/"
_SIZES = (-(2**63), -1, 0, 1, 2, 3, 5, 2**16, 2**20, 2**31, 2**32, 2**62, 2**63 - 1)
_FIELDS = {  # of a TensorProto: what may stand in them
    "float_val": st.floats(width=32),
    "double_val": st.floats(),
    "int_val": st.integers(-(2**31), 2**31 - 1),
    "int64_val": st.integers(-(2**63), 2**63 - 1),
    "uint32_val": st.integers(0, 2**32 - 1),
    "uint64_val": st.integers(0, 2**64 - 1),
    "bool_val": st.booleans(),
    "half_val": st.integers(-(2**31), 2**31 - 1),
    "string_val": octets,
}
_STRING = 7  # DT_STRING
_PLATFORMS = ("tensorflow", "caffe", "", "TENSORFLOW")
_NO_BASE = ("", "/", "/nowhere", "models", "../..", "/proc", "/dev/null", "file:///etc", "s3://bucket/x", "\0", "/a\0b")


@dataclasses.dataclass(frozen=True)
class Call:
    """One request over gRPC: the bytes of its message, headers; packed: by gzip."""

    method: str
    message: bytes
    headers: tuple = ()
    packed: bool = False


def calls(model, fed):
    """{kind: strategy for its Calls}; `model` is a name that is served, `fed` one of its inputs."""
    requests = {
        PREDICTION + "Predict": _predict(model, fed),
        PREDICTION + "Classify": _of_examples(model, classification_pb2.ClassificationRequest),
        PREDICTION + "Regress": _of_examples(model, regression_pb2.RegressionRequest),
        PREDICTION + "MultiInference": _multi_inference(model),
        PREDICTION + "GetModelMetadata": _metadata(model),
        MODEL + "GetModelStatus": _status(model),
        MODEL + "HandleReloadConfigRequest": _reload(model),
    }
    written = {method.rpartition("/")[2]: _call(method, each).filter(no_order) for method, each in requests.items()}
    any_of = st.one_of([st.tuples(st.just(method), each) for method, each in requests.items()])
    methods = st.sampled_from(list(requests))
    damaged = {"cut short": _cut, "byte changed": _changed, "unknown field": _unknown, "headers, gzip": _carried}
    return written | {
        "random message": st.builds(Call, methods, st.binary(max_size=64)).filter(no_order),
        "unknown method": st.builds(Call, _unknown_methods(), st.binary(max_size=16)),
        **{kind: any_of.flatmap(damage).filter(no_order) for kind, damage in damaged.items()},
    }


def spec(model):
    """Strategy for the fields of a ModelSpec."""
    choice = st.one_of(
        st.just({}),
        st.just({}),
        st.just({}),
        st.fixed_dictionaries({"version": st.fixed_dictionaries({"value": numbers})}),
        st.fixed_dictionaries({"version_label": texts}),
    )
    named = st.fixed_dictionaries({"name": mostly((model,), texts), "signature_name": mostly(SIGNATURES, texts)})
    return st.builds(lambda first, second: first | second, named, choice)


@st.composite
def tensor(draw):
    """Strategy for a TensorProto that is hardly ever one."""
    proto = tensor_pb2.TensorProto(dtype=draw(mostly((_STRING,), st.integers(0, 140))))
    if draw(st.integers(0, 9)) == 0:
        proto.tensor_shape.unknown_rank = True
    for size in draw(mostly(([1], [2], [], [1, 1]), st.lists(st.sampled_from(_SIZES), max_size=6))):
        proto.tensor_shape.dim.add(size=size, name=draw(st.sampled_from(("", "batch"))))
    field = draw(mostly(("string_val",), st.sampled_from(sorted(_FIELDS))))
    getattr(proto, field).extend(draw(st.lists(_FIELDS[field], max_size=4)))
    if draw(st.integers(0, 5)) == 0:
        proto.tensor_content = draw(st.binary(max_size=40))
    if draw(st.integers(0, 20)) == 0:
        proto.tensor_shape.dim.extend([proto.tensor_shape.Dim(size=1)] * 300)
    return proto


def _predict(model, fed):
    one = st.fixed_dictionaries({fed: tensor()})
    return st.builds(
        predict_pb2.PredictRequest,
        model_spec=spec(model),
        inputs=st.one_of(one, one, one, st.dictionaries(mostly(INPUTS, texts), tensor(), max_size=3)),
        output_filter=st.one_of(st.just([]), st.lists(mostly(("scores", "label"), texts), max_size=2)),
    )


def _examples():
    feature = st.one_of(
        st.builds(lambda values: {"bytes_list": {"value": values}}, st.lists(octets, max_size=3)),
        st.builds(lambda values: {"float_list": {"value": values}}, st.lists(st.floats(width=32), max_size=3)),
        st.builds(lambda values: {"int64_list": {"value": values}}, st.lists(numbers, max_size=3)),
        st.just({}),
    )
    features = st.dictionaries(mostly(("text", "text_pair", "extra"), texts), feature, max_size=3)
    return st.builds(lambda each: example_pb2.Example(features={"feature": each}), features)


def _input():
    several = st.lists(_examples(), max_size=3)
    with_context = st.fixed_dictionaries({"examples": several, "context": _examples()})
    return st.one_of(
        st.builds(lambda given: {"example_list": {"examples": given}}, several),
        st.builds(lambda given: {"example_list_with_context": given}, with_context),
        st.just({}),
    )


def _of_examples(model, message):
    return st.builds(message, model_spec=spec(model), input=_input())


def _multi_inference(model):
    task = st.fixed_dictionaries({"model_spec": spec(model), "method_name": mostly(METHODS, texts)})
    return st.builds(inference_pb2.MultiInferenceRequest, tasks=st.lists(task, max_size=3), input=_input())


def _metadata(model):
    fields = st.lists(mostly(("signature_def",), texts), max_size=2)
    return st.builds(get_model_metadata_pb2.GetModelMetadataRequest, model_spec=spec(model), metadata_field=fields)


def _status(model):
    return st.builds(get_model_status_pb2.GetModelStatusRequest, model_spec=spec(model))


def _reload(model):
    policies = ({}, {"latest": {"num_versions": 2**31}}, {"all": {}}, {"specific": {"versions": [2**62]}})
    entry = st.fixed_dictionaries(
        {
            "name": mostly((model,), texts),
            "base_path": mostly(_NO_BASE, texts),
            "model_platform": mostly(_PLATFORMS, texts),
            "model_type": mostly((0,), st.sampled_from((1, 2, 99, -1))),
            "model_version_policy": st.sampled_from(policies),
            "version_labels": st.dictionaries(texts, numbers, max_size=2),
        }
    )
    listed = st.lists(entry, min_size=1, max_size=3)
    config = st.one_of(
        st.builds(lambda each: {"model_config_list": {"config": each}}, listed),
        st.builds(lambda each: {"model_config_list": {"config": each}}, listed),
        st.just({"custom_model_config": {"type_url": "x/y", "value": b"\xff"}}),
        st.just({}),
    )
    return st.builds(lambda each: model_management_pb2.ReloadConfigRequest(config=each), config)


def _call(method, requests):
    return requests.map(lambda request: Call(method, request.SerializeToString()))


def _cut(asked):
    method, whole = asked[0], asked[1].SerializeToString()
    return st.integers(0, max(0, len(whole) - 1)).map(lambda end: Call(method, whole[:end]))


def _changed(asked):
    method, whole = asked[0], asked[1].SerializeToString()
    place = st.integers(0, max(0, len(whole) - 1))
    changed = st.builds(lambda at, byte: whole[:at] + bytes([byte]) + whole[at + 1 :], place, st.integers(0, 255))
    return changed.map(lambda message: Call(method, message))


def _unknown(asked):
    """Field 1000 as a varint, as a group that never ends, as bytes that claim 2 GiB, as bytes."""
    method, whole = asked[0], asked[1].SerializeToString()
    tails = st.sampled_from((b"\xc0\x3e\x01", b"\xc3\x3e", b"\xc2\x3e\xff\xff\xff\xff\x07", b"\xc2\x3e\x02hi"))
    return tails.map(lambda tail: Call(method, whole + tail))


def no_order(call):
    """Whether a call is none that rightly empties the server: a config that can be followed is an order, no attack."""
    if not call.method.endswith("HandleReloadConfigRequest"):
        return True
    try:
        config = model_management_pb2.ReloadConfigRequest.FromString(call.message).config
    except Exception:  # no message: nothing to obey
        return True
    try:
        model_list.platforms(model_list.checked(config))
    except StatusError:
        return True
    labels = [number for model in config.model_config_list.config for number in model.version_labels.values()]
    return any(not 0 < number < 100 for number in labels)  # such a version is not loaded, and the config refused


def _unknown_methods():
    names = st.sampled_from(("Nope", "predict", "", "..", "Predict/../GetModelStatus", "Predict\u00e9", "SessionRun"))
    return st.builds(
        lambda service, name: service + name,
        st.sampled_from((PREDICTION, MODEL, "/", "/x/", "/grpc.health.v1.Health/")),
        names.map(lambda name: name.encode("ascii", "ignore").decode()),
    )


def _carried(asked):
    """A call that is packed, or comes with headers that none needs."""
    method, whole = asked[0], asked[1].SerializeToString()
    name = st.sampled_from(("x-any", "authorization", "grpc-trace-bin", "user-agent-x", "x-bin"))
    value = st.one_of(st.binary(max_size=32), st.integers(1, 6000).map(lambda size: b"a" * size))
    header = st.builds(lambda key, given: (key, given if key.endswith("-bin") else given.hex()), name, value)
    headers = st.lists(header, max_size=4).map(tuple)
    bomb = st.sampled_from((whole, whole, whole, whole + b"\xc2\x3e\x80\x80\x40" + bytes(1 << 20)))
    return st.builds(Call, st.just(method), bomb, headers, st.booleans())
