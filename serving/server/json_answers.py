"""Answers and errors as the JSON that the real server writes, character for character.

Sources: MakeJsonFromTensors, MakeJsonFromClassificationResult, MakeJsonFromRegressionResult and MakeJsonFromStatus in
tensorflow_serving/util/json_tensor.cc; ToJsonString in tensorflow_serving/model_servers/http_rest_api_util.cc. Outputs
come in the order of their names, where the real server's order changes with every start. Bytes that are not UTF-8 pass
as they are: as surrogates, for encode("utf-8", "surrogateescape").
"""

import base64
import math

from google.protobuf import json_format
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import get_model_metadata_pb2

from serving.server import decimals, tensors
from serving.server.status import invalid

_INDENT = "    "
_ESCAPES = {code: f"\\u{code:04X}" for code in range(32)} | {
    ord(character): escape
    for character, escape in zip('"\\\b\f\n\r\t', ('\\"', "\\\\", "\\b", "\\f", "\\n", "\\r", "\\t"), strict=True)
}
_DECIMALS = {types_pb2.DT_FLOAT: "float32", types_pb2.DT_DOUBLE: "float64"}
_WHOLE = {getattr(types_pb2, f"DT_{name}") for name in ("INT32", "INT16", "INT8", "UINT8", "INT64", "UINT32", "UINT64")}
_BYTES_SUFFIX = "_bytes"
_METADATA_FIELD = "signature_def"


def error(message):
    """The body of an answer that is an error."""
    return _object([("error", _quoted(message))], 0)


def predictions(outputs, by_row):
    """The answer to a Predict request with `{name: TensorProto}`, by row or by column as it was asked."""
    if not outputs:
        raise invalid("Cannot convert empty tensor map to JSON")
    named = dict(sorted(outputs.items()))
    return _by_row(named) if by_row else _by_column(named)


def classifications(result):
    """The answer to a Classify request with a ClassificationResult: `[[label, score], …]` for each example."""
    if not result.classifications:
        raise invalid("Cannot convert empty ClassificationResults to JSON")
    rows = [
        _in_line([f"[{_quoted(each.label)}, {_number(each.score)}]" for each in row.classes])
        for row in result.classifications
    ]
    return _object([("results", _rows(rows))], 0)


def regressions(result):
    """The answer to a Regress request with a RegressionResult."""
    if not result.regressions:
        raise invalid("Cannot convert empty RegressionResults to JSON")
    return _object([("results", _in_line(decimals.texts([each.value for each in result.regressions], "float32")))], 0)


def status(response):
    """The answer with a GetModelStatusResponse."""
    return _of_message(response)


def metadata(response):
    """The answer with a GetModelMetadataResponse."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata[_METADATA_FIELD].Unpack(signatures)
    spec, signatures = _of_message(response.model_spec), _of_message(signatures)
    return f'{{\n"model_spec":{spec},\n"metadata": {{"signature_def": {signatures}}}\n}}\n'


def _by_row(named):
    _check_rows(named)
    if len(named) == 1:
        ((name, tensor),) = named.items()
        return _object([("predictions", _rows(_nested(name, tensor, 2, _in_line, rows=True)))], 0)
    columns = [_nested(name, tensor, 3, _in_line, rows=True) for name, tensor in named.items()]
    rows = [_object(zip(named, row, strict=True), 2) for row in zip(*columns, strict=True)]
    return _object([("predictions", _lines("[", rows, "]", 1))], 0)


def _check_rows(named):
    """INVALID_ARGUMENT unless every tensor has the same number of rows."""
    expected = None
    for name, tensor in named.items():
        if not tensor.tensor_shape.dim:
            raise invalid(f"Tensor name: {name} has no shape information ")
        size = tensor.tensor_shape.dim[0].size
        if expected not in (None, size):
            raise invalid(f"Tensor name: {name} has inconsistent batch size: {size} expecting: {expected}")
        expected = size


def _by_column(named):
    if len(named) == 1:
        ((name, tensor),) = named.items()
        return _object([("outputs", _nested(name, tensor, 1, _on_lines))], 0)
    columns = [(name, _nested(name, tensor, 2, _on_lines)) for name, tensor in named.items()]
    return _object([("outputs", _object(columns, 1))], 0)


def _nested(name, tensor, depth, join, rows=False):
    """A tensor `depth` levels deep, or the list of its rows; join(items, depth) makes an array of its items."""
    array = tensors.to_array(tensor)
    outer = int(rows)  # dimensions that stay a list
    items = _elements(name, array, tensor.dtype, depth + array.ndim - outer)
    for level in reversed(range(outer, array.ndim)):
        size = array.shape[level]
        starts = [index * size for index in range(math.prod(array.shape[:level]))]
        items = [join(items[start : start + size], depth + level - outer) for start in starts]
    return items if rows else items[0]


def _elements(name, array, dtype, depth):
    if dtype in _DECIMALS:
        return decimals.texts(array, _DECIMALS[dtype])
    values = array.ravel().tolist()
    if dtype == types_pb2.DT_STRING:
        if name.endswith(_BYTES_SUFFIX):
            return [_object([("b64", f'"{base64.b64encode(value).decode()}"')], depth) for value in values]
        return [_quoted(value.decode("utf-8", "surrogateescape")) for value in values]
    if dtype == types_pb2.DT_BOOL:
        return ["true" if value else "false" for value in values]
    if dtype not in _WHOLE and values:
        raise invalid(f"Failed to write JSON value for tensor type: {tensors.type_name(dtype)}")
    return list(map(str, values))


def _object(members, depth):
    return _lines("{", [f"{_quoted(name)}: {value}" for name, value in members], "}", depth)


def _on_lines(items, depth):
    return _lines("[", items, "]", depth)


def _lines(opening, items, closing, depth):
    """One item a line, in an array or object that is `depth` levels deep."""
    if not items:
        return opening + closing
    outer = "\n" + _INDENT * depth
    inner = outer + _INDENT
    return f"{opening}{inner}{f',{inner}'.join(items)}{outer}{closing}"


def _in_line(items, _=None):
    return f"[{', '.join(items)}]"


def _rows(rows):
    """The array that the real server begins in one line and ends in the next."""
    return f"[{', '.join(rows)}\n{_INDENT}]" if rows else "[]"


def _number(score):
    return decimals.texts([score], "float32")[0]


def _quoted(text):
    return f'"{text.translate(_ESCAPES)}"'


def _of_message(message):
    shown = json_format.MessageToJson(
        message,
        always_print_fields_with_no_presence=True,
        preserving_proto_field_name=True,
        indent=1,
        ensure_ascii=False,
    )
    return f"{shown}\n"
