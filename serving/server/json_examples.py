"""The tf.Examples of a Classify or Regress request in JSON.

Source: FillClassifyRegressRequestFromJson, MakeExampleFromJsonObject and AddValueToFeature in
tensorflow_serving/util/json_tensor.cc.
"""

from tensorflow.core.example import feature_pb2
from tensorflow.core.framework import types_pb2

from serving.server import json_scalars, json_values
from serving.server.status import invalid

_MOST = 2**63 - 1


def fill(given, document):
    """Fills the Input of a request from its document; INVALID_ARGUMENT where it holds no examples."""
    listed = given.example_list
    if "context" in document:
        listed = given.example_list_with_context
        _fill_example(listed.context, document["context"])
    if "examples" not in document:
        raise json_values.faulty(document, "When method is classify, key 'examples' is expected and was not found")
    examples = document["examples"]
    if not isinstance(examples, list):
        raise json_values.faulty(document, "Expecting 'examples' value to be an list/array")
    if not examples:
        raise json_values.faulty(document, "'examples' value is an empty array")
    for each in examples:
        _fill_example(listed.examples.add(), each)


def _fill_example(example, value):
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {json_values.kind(value)}")
    for name, content in value.items():
        feature = feature_pb2.Feature()
        for each in content if isinstance(content, list) else [content]:
            _add(feature, name, each)
        example.features.feature[name].CopyFrom(feature)


def _add(feature, name, value):
    """Adds a value; all of a feature's are of one kind, for which true and false count as integers."""
    kind, element = _element(name, value)
    held = feature.WhichOneof("kind")
    if held not in (None, kind):
        raise invalid(f"Unexpected element type in feature: {name} expecting type: {held.removesuffix('_list')}")
    if kind == "float_list":
        json_scalars.check_lossless(value, types_pb2.DT_FLOAT)
    if isinstance(value, dict):
        element = json_scalars.decoded(value)
    if kind == "int64_list" and element > _MOST:
        raise invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
    getattr(feature, kind).value.append(element)


def _element(name, value):
    """(field of a Feature, what goes into it)."""
    if isinstance(value, str):
        return "bytes_list", value.encode()
    if isinstance(value, float):
        return "float_list", value
    if isinstance(value, int):  # or a bool
        return "int64_list", int(value)
    if json_scalars.is_base64(value):
        return "bytes_list", b""
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {json_values.kind(value)}")
