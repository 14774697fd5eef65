"""Requests for the models of zoo.py."""

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2


def predict(model, signature="", filtered=(), version=None, label=None, **inputs):
    """A PredictRequest; an input is a TensorProto, or what tf.make_tensor_proto takes (Python floats: float32)."""
    request = predict_pb2.PredictRequest()
    spec(request, model, signature, version, label)
    request.output_filter.extend(filtered)
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tensor(value))
    return request


def spec(request, model, signature="", version=None, label=None):
    """Fills the ModelSpec of a request and returns it."""
    request.model_spec.name = model
    if signature:
        request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    return request


def tensor(value, dtype=None):
    """A TensorProto; what is one already stays as it is."""
    return value if isinstance(value, tensor_pb2.TensorProto) else tf.make_tensor_proto(value, dtype)


def metadata(model, *fields, **where):
    """A GetModelMetadataRequest."""
    return spec(get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields), model, **where)


def status(model, **where):
    """A GetModelStatusRequest."""
    return spec(get_model_status_pb2.GetModelStatusRequest(), model, **where)


def arrays(response):
    """`{output: array}` of a PredictResponse."""
    return {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}


def values(response, name):
    """The elements of one output as a list."""
    return np.ravel(tf.make_ndarray(response.outputs[name])).tolist()
