import numpy as np
import pytest
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import classification_pb2, regression_pb2

from serving.server import json_answers, tensors
from serving.server.status import StatusError


def tensor(values, kind, dtype=None):
    made = tensor_pb2.TensorProto()
    tensors.fill(made, np.array(values, dtype), getattr(types_pb2, f"DT_{kind}"))
    return made


def test_one_output_by_row():
    floats = tensor([[0.5, 1], [0.25, 1e10]], "FLOAT", np.float32)
    assert json_answers.predictions({"x": floats}, True) == (
        '{\n    "predictions": [[0.5, 1.0], [0.25, 1e+10]\n    ]\n}'
    )
    assert json_answers.predictions({"x": tensor([], "INT64", np.int64)}, True) == '{\n    "predictions": []\n}'


def test_several_outputs_by_row():
    outputs = {
        "b_bytes": tensor([[b"\xff"], [b""]], "STRING", object),
        "a": tensor([1, -2], "INT32"),
        "c": tensor([b'\xff\x01"\\\n/\x7f', "é".encode()], "STRING", object),
    }
    text = json_answers.predictions(outputs, True).encode("utf-8", "surrogateescape")
    assert text.replace(b"    ", b"\t").splitlines() == [
        b"{",
        b'\t"predictions": [',
        b"\t\t{",
        b'\t\t\t"a": 1,',
        b'\t\t\t"b_bytes": [{',
        b'\t\t\t\t\t"b64": "/w=="',
        b"\t\t\t\t}],",
        b'\t\t\t"c": "\xff\\u0001\\"\\\\\\n/\x7f"',
        b"\t\t},",
        b"\t\t{",
        b'\t\t\t"a": -2,',
        b'\t\t\t"b_bytes": [{',
        b'\t\t\t\t\t"b64": ""',
        b"\t\t\t\t}],",
        b'\t\t\t"c": "\xc3\xa9"',
        b"\t\t}",
        b"\t]",
        b"}",
    ]


def test_by_column():
    flags, scalar = tensor([[True], [False]], "BOOL"), tensor(7, "UINT64", np.uint64)
    assert json_answers.predictions({"x": scalar}, False) == '{\n    "outputs": 7\n}'
    assert json_answers.predictions({"x": flags, "y": scalar}, False) == (
        '{\n    "outputs": {\n        "x": [\n            [\n                true\n            ],\n            [\n'
        '                false\n            ]\n        ],\n        "y": 7\n    }\n}'
    )
    empty = tensor(np.zeros((2, 0)), "DOUBLE")
    assert json_answers.predictions({"x": empty}, False) == '{\n    "outputs": [\n        [],\n        []\n    ]\n}'


def test_classifications_and_regressions():
    result = classification_pb2.ClassificationResult()
    for score in (0.2, 1.0):
        result.classifications.add().classes.add(label='a"', score=score)
    assert json_answers.classifications(result) == '{\n    "results": [[["a\\"", 0.2]], [["a\\"", 1.0]]\n    ]\n}'
    result = regression_pb2.RegressionResult()
    for value in (0.2, float("inf"), float("nan")):
        result.regressions.add(value=value)
    assert json_answers.regressions(result) == '{\n    "results": [0.2, Infinity, NaN]\n}'


@pytest.mark.parametrize(
    ("outputs", "by_row", "said"),
    [
        ({}, True, "Cannot convert empty tensor map to JSON"),
        ({"x": tensor(1, "INT32")}, True, "Tensor name: x has no shape information "),
        (
            {"x": tensor([1], "INT32"), "y": tensor([1, 2], "INT32")},
            True,
            "Tensor name: y has inconsistent batch size: 2 expecting: 1",
        ),
        ({"x": tensor([1], "HALF", np.float16)}, True, "Failed to write JSON value for tensor type: half"),
        ({"x": tensor([1], "UINT16", np.uint16)}, False, "Failed to write JSON value for tensor type: uint16"),
    ],
)
def test_says_what_cannot_be_written(outputs, by_row, said):
    with pytest.raises(StatusError) as refused:
        json_answers.predictions(outputs, by_row)
    assert refused.value.code.name == "INVALID_ARGUMENT" and refused.value.message == said


def test_errors():
    assert json_answers.error('no "x"\n') == '{\n    "error": "no \\"x\\"\\n"\n}'
    for answer, result in (
        (json_answers.classifications, classification_pb2.ClassificationResult()),
        (json_answers.regressions, regression_pb2.RegressionResult()),
    ):
        with pytest.raises(StatusError, match="Cannot convert empty "):
            answer(result)
