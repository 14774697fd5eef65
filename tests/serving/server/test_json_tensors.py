import math

import pytest
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import predict_pb2

from serving.server import json_tensors, json_values, tensors
from serving.server.status import StatusError


def infos(**dtypes):
    """`{name: TensorInfo}`."""
    return {name: meta_graph_pb2.TensorInfo(dtype=getattr(types_pb2, f"DT_{kind}")) for name, kind in dtypes.items()}


def filled(body, **dtypes):
    """({name: array as nested lists}, whether by row) of a body."""
    request = predict_pb2.PredictRequest()
    by_row = json_tensors.fill(request.inputs, json_values.parse(body.encode()), infos(**dtypes))
    return {name: tensors.to_array(tensor).tolist() for name, tensor in request.inputs.items()}, by_row


def refused(body, **dtypes):
    with pytest.raises(StatusError) as error:
        filled(body, **dtypes)
    return f"{error.value.code.name}: {error.value.message}"


@pytest.mark.parametrize(
    ("body", "dtypes", "values"),
    [
        ('{"instances": [1, 2.5, -Infinity]}', {"x": "FLOAT"}, {"x": [1, 2.5, -math.inf]}),
        ('{"instances": [[[1], [2]], [[3], [4]]]}', {"x": "INT32"}, {"x": [[[1], [2]], [[3], [4]]]}),
        ('{"instances": ["a", {"b64": "AP8"}]}', {"x": "STRING"}, {"x": [b"a", b"\x00\xff"]}),
        (
            '{"instances": [{"x": 1, "y": ["é"]}, {"y": [""], "x": 2}]}',
            {"x": "DOUBLE", "y": "STRING"},
            {"x": [1, 2], "y": [["é".encode()], [b""]]},
        ),
        ('{"instances": [[], []]}', {"x": "INT64"}, {"x": [[], []]}),
        ('{"instances": [true, false]}', {"x": "BOOL"}, {"x": [True, False]}),
        ('{"instances": [300]}', {"x": "INT8"}, {"x": [44]}),
        ('{"instances": [18446744073709551615]}', {"x": "UINT64"}, {"x": [2**64 - 1]}),
    ],
)
def test_by_row(body, dtypes, values):
    assert filled(body, **dtypes) == (values, True)


@pytest.mark.parametrize(
    ("body", "dtypes", "values"),
    [
        ('{"inputs": 7}', {"x": "UINT32"}, {"x": 7}),
        ('{"inputs": {"b64": "aGk="}}', {"x": "STRING"}, {"x": b"hi"}),
        ('{"inputs": {"x": [[1, 2]], "y": "t", "more": 1}}', {"x": "INT16", "y": "STRING"}, {"x": [[1, 2]], "y": b"t"}),
        ('{"inputs": []}', {"x": "FLOAT"}, {"x": []}),
    ],
)
def test_by_column(body, dtypes, values):
    assert filled(body, **dtypes) == (values, False)


LOSS = "without loss of precision."
FIRST, SECOND = (f"INVALID_ARGUMENT: Failed to process element: {index} of 'instances' list." for index in (0, 1))


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ("{}", "FLOAT", "INVALID_ARGUMENT: Missing 'inputs' or 'instances' key"),
        ('{"instances": 1}', "FLOAT", "Excepting 'instances' to be an list/array"),
        ('{"instances": []}', "FLOAT", "No values in 'instances' array"),
        ('{"instances": [1], "inputs": 1}', "FLOAT", "expecting only one of 'inputs' or 'instances' keys to exist "),
        (
            '{"instances": ["a"]}',
            "FLOAT",
            f'{FIRST} Error: INVALID_ARGUMENT: JSON Value: "a" Type: String is not of expected type: float',
        ),
        ('{"instances": [true]}', "FLOAT", "JSON Value: true Type: True is not of expected type: float"),
        ('{"instances": [1]}', "BOOL", "JSON Value: 1 Type: Number is not of expected type: bool"),
        ('{"instances": [null]}', "STRING", "JSON Value: null Type: Null is not of expected type: string"),
        ('{"instances": [1.0]}', "INT32", "JSON Value: 1.0 Type: Number is not of expected type: int32"),
        ('{"instances": [2147483648]}', "INT8", "Type: Number is not of expected type: int8"),
        ('{"instances": [-1]}', "UINT32", "Type: Number is not of expected type: uint32"),
        ('{"instances": [9223372036854775808]}', "INT64", "Type: Number is not of expected type: int64"),
        ('{"instances": [{"b64": "AA=="}]}', "INT64", "Type: Object is not of expected type: int64"),
        ('{"instances": [1]}', "HALF", f"{FIRST} Error: UNIMPLEMENTED: Conversion of JSON Value: 1 to type: half"),
        ('{"instances": [16777216]}', "FLOAT", f"Cannot convert JSON value: 16777216 to float {LOSS}"),
        ('{"instances": [1e39]}', "FLOAT", f"Cannot convert JSON value: 1e+39 to float {LOSS}"),
        ('{"instances": [9007199254740992]}', "DOUBLE", f"to double {LOSS}"),
        ('{"instances": [{"b64": "A"}]}', "STRING", f"{FIRST} Error: INVALID_ARGUMENT: Unable to base64 decode"),
        ('{"instances": [{"b64": "AA="}]}', "STRING", "Unable to base64 decode"),
        ('{"inputs": [{"b64": 1}]}', "STRING", "} not formatted correctly for base64 data"),
        ('{"instances": [1, [2]]}', "FLOAT", f"{SECOND} Error: INVALID_ARGUMENT: Expecting shape [] but got: [1]"),
        ('{"instances": [[1, 2], [[3], [4]]]}', "FLOAT", "Expecting shape [2] but got: [2,1]"),
        ('{"instances": [[1], [2, 3]]}', "FLOAT", f"{SECOND} Error: INVALID_ARGUMENT: Expecting tensor size: 1 but"),
        ('{"inputs": [[1], 2]}', "FLOAT", "2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2"),
        ('{"inputs": [1, [2]]}', "FLOAT", "Encountered list at unexpected level: 1 expected < 1"),
        ('{"inputs": [[1], [2, 3]]}', "FLOAT", "Encountered list at unexpected size: 2 at level: 1 expected size: 1"),
        ('{"instances": [{"x": 1}, 2]}', "FLOAT", "Expecting object but got list at item 1 of input list"),
        ('{"instances": [1, {"x": 2}]}', "FLOAT", "Expecting value/list but got object at item 1 of input list"),
        (
            '{"instances": [{"y": 1}]}',
            "FLOAT",
            "INVALID_ARGUMENT: Failed to process element: 0 key: y of 'instances' list. "
            "Error: INVALID_ARGUMENT: JSON object: does not have named input: y",
        ),
        ('{"instances": [{}]}', "FLOAT", f"{FIRST} JSON object: {{}} keys must be equal to: x"),
        ('{"inputs": {"y": 1}}', "FLOAT", "INVALID_ARGUMENT: Missing named input: x in 'inputs' object."),
    ],
)
def test_says_what_does_not_fit(body, kind, said):
    assert said in refused(body, x=kind)


def test_several_inputs_must_be_named():
    said = "expecting list of objects as multiple input tensors required as per tensorinfo_map"
    assert refused('{"instances": [1]}', x="FLOAT", y="FLOAT").endswith(said)
    said = "expecting an object as multiple input tensors required as per tensorinfo_map"
    assert refused('{"inputs": [1]}', x="FLOAT", y="FLOAT").endswith(said)
