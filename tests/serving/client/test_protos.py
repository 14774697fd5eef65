"""The trimmed messages against the real ones of tensorflow-serving-api, which import TensorFlow."""

import importlib
import subprocess
import sys

import numpy as np
import pytest
from google.protobuf import unknown_fields

from serving.client import protos
from serving.client.tensors import decode, encode

_MODULES = {
    "PredictRequest": "tensorflow_serving.apis.predict_pb2",
    "PredictResponse": "tensorflow_serving.apis.predict_pb2",
    "GetModelMetadataRequest": "tensorflow_serving.apis.get_model_metadata_pb2",
    "GetModelMetadataResponse": "tensorflow_serving.apis.get_model_metadata_pb2",
    "SignatureDefMap": "tensorflow_serving.apis.get_model_metadata_pb2",
    "GetModelStatusRequest": "tensorflow_serving.apis.get_model_status_pb2",
    "GetModelStatusResponse": "tensorflow_serving.apis.get_model_status_pb2",
}


def real(name):
    """The message class of that name in the real stubs."""
    return getattr(importlib.import_module(_MODULES[name]), name)


def compare(ours, theirs, seen):
    """Asserts that every field of descriptor `ours` is in `theirs` with the same name, number, kind and type."""
    if ours.full_name in seen:
        return
    seen.add(ours.full_name)
    assert ours.full_name == theirs.full_name
    for field in ours.fields:
        same = theirs.fields_by_name[field.name]
        kind = same.TYPE_INT32 if field.name == "error_code" else same.type
        assert (field.number, field.type, field.is_repeated) == (same.number, kind, same.is_repeated), field.full_name
        assert (field.containing_oneof and field.containing_oneof.name) == (
            same.containing_oneof and same.containing_oneof.name
        ) or field.full_name == "tensorflow.TensorInfo.name", field.full_name
        if field.message_type:
            compare(field.message_type, same.message_type, seen)
        elif field.enum_type:
            for value in field.enum_type.values:
                assert same.enum_type.values_by_name[value.name].number == value.number


def filled():
    """One message of each kind with every field in use, and its name."""
    request = protos.PredictRequest(output_filter=["label"])
    request.model_spec.name, request.model_spec.signature_name = "reviews", "serving_default"
    request.model_spec.version.value = 2**40
    labelled = protos.PredictRequest()
    labelled.model_spec.version_label = "stable"
    response = protos.PredictResponse(model_spec=request.model_spec)
    arrays = {
        "text": np.array(["电影", b"\xff\0", ""], dtype=object),
        "ints": np.arange(6).reshape(2, 3),
        "half": np.ones(2, np.float16),
        "flags": np.array([True, False]),
        "scalar": np.array(1.5, np.float32),
    }
    for name, array in arrays.items():
        request.inputs[name].CopyFrom(encode(array))
        response.outputs[name].CopyFrom(encode(array))
    response.outputs["short"].CopyFrom(protos.TensorProto(dtype=1, float_val=[1, 2]))
    metadata_request = protos.GetModelMetadataRequest(model_spec=request.model_spec, metadata_field=["signature_def"])
    signatures = protos.SignatureDefMap()
    signatures.signature_def["serving_default"].inputs["text"].dtype = 7
    signatures.signature_def["serving_default"].method_name = "tensorflow/serving/predict"
    metadata = protos.GetModelMetadataResponse(model_spec=request.model_spec)
    metadata.metadata["signature_def"].type_url = "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    metadata.metadata["signature_def"].value = signatures.SerializeToString(deterministic=True)
    status = protos.GetModelStatusResponse()
    entry = status.model_version_status.add(version=3, state=50)
    entry.status.error_code, entry.status.error_message = 5, "gone"
    status_request = protos.GetModelStatusRequest(model_spec=labelled.model_spec)
    return [request, labelled, response, metadata_request, metadata, signatures, status, status_request]


@pytest.mark.parametrize("name", _MODULES)
def test_every_field_is_the_real_one(name):
    compare(getattr(protos, name).DESCRIPTOR, real(name).DESCRIPTOR, set())


@pytest.mark.parametrize("message", filled(), ids=lambda message: type(message).__name__)
def test_bytes_are_the_same_both_ways(message):
    theirs = real(type(message).__name__)
    content = message.SerializeToString(deterministic=True)
    parsed = theirs.FromString(content)
    assert not len(unknown_fields.UnknownFieldSet(parsed))
    assert parsed.SerializeToString(deterministic=True) == content
    assert type(message).FromString(parsed.SerializeToString()) == message


_DTYPES = [
    "float32",
    "float64",
    "float16",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
]


@pytest.mark.parametrize("shape", [(), (2, 3)])
@pytest.mark.parametrize("dtype", _DTYPES)
def test_tensors_are_what_tensorflow_writes_and_reads(dtype, shape):
    tensorflow = importlib.import_module("tensorflow")
    array = np.resize(np.array([1, 0, 1, 1]), shape).astype(dtype)
    theirs = tensorflow.make_tensor_proto(array)  # scalars in a repeated field, the rest as tensor_content
    np.testing.assert_array_equal(decode(protos.TensorProto.FromString(theirs.SerializeToString())), array)
    np.testing.assert_array_equal(
        tensorflow.make_ndarray(type(theirs).FromString(encode(array).SerializeToString())), array
    )


@pytest.mark.parametrize(
    ("dtype", "field", "values"),
    [("DT_FLOAT", "float_val", [1, 2.5]), ("DT_INT64", "int64_val", [7]), ("DT_BFLOAT16", "half_val", [16256, 49152])],
)
def test_a_value_that_repeats_is_read_as_tensorflow_reads_it(dtype, field, values):
    tensorflow = importlib.import_module("tensorflow")
    proto = protos.TensorProto(dtype=protos.DataType[dtype], **{field: values})
    proto.tensor_shape.dim.add(size=4)
    theirs = type(tensorflow.make_tensor_proto(0)).FromString(proto.SerializeToString())
    np.testing.assert_array_equal(decode(proto), tensorflow.make_ndarray(theirs).astype(np.float32))


_STUBS = "from tensorflow_serving.apis import predict_pb2"
_CLIENT = "from serving.client import Client, protos"


@pytest.mark.slow
@pytest.mark.parametrize("imports", [f"{_STUBS}; {_CLIENT}", f"{_CLIENT}; {_STUBS}"], ids=["after", "before"])
def test_it_lives_beside_tensorflow_in_either_import_order(server, imports):
    program = f"""{imports}
from tensorflow.core.framework import tensor_pb2
with Client("{server.address}", "reviews") as client:
    assert client.predict("0.25").label == "negative"
request = predict_pb2.PredictRequest()
request.inputs["text"].string_val.append(b"a")
assert protos.PredictRequest.FromString(request.SerializeToString()).inputs["text"].string_val[0] == b"a"
assert tensor_pb2.TensorProto.DESCRIPTOR.full_name == protos.TensorProto.DESCRIPTOR.full_name
print("both")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "both\n", done.stderr
