"""Output arrays to rows, and rows to requests."""

import json

import numpy as np
import pytest

from serving.client.batches import split
from serving.client.results import Classification, Outputs, rows_of


def strings(*values):
    return np.array([*values, None], dtype=object)[:-1]


def classified(rows):
    return {
        "label": strings(*[b"b"] * rows),
        "score": np.full(rows, 0.75, np.float32),
        "probabilities": np.tile(np.float32([0.25, 0.75]), (rows, 1)),
        "truncated": np.zeros(rows, bool),
        "abstain": np.zeros(rows, bool),
    }


def test_a_classification_may_have_more_outputs_than_are_known():
    outputs = classified(2) | {"selected": np.ones((2, 2), bool)}
    expected = Classification("b", 0.75, {"a": 0.25, "b": 0.75}, False, False)
    assert rows_of(outputs, 2, "classification", ["a", "b"]) == [expected] * 2


@pytest.mark.parametrize("missing", ["label", "abstain"])
def test_a_classification_that_lacks_an_output_is_generic(missing):
    outputs = classified(1)
    del outputs[missing]
    (row,) = rows_of(outputs, 1, "classification", ["a", "b"])
    assert isinstance(row, Outputs) and missing not in row.values


def test_generic_rows_hold_plain_values_and_arrays():
    outputs = {
        "value": np.float32([0.5, 1.5]),
        "count": np.int32([1, 2]),
        "start": np.int64([[0, 4], [3, -1]]),
        "text": np.array([[b"a", "电".encode()], [b"\xff", b""]], dtype=object),
    }
    first, second = rows_of(outputs, 2, "tagging", [])
    assert first.to_dict() == {"count": 1, "start": [0, 4], "text": ["a", "电"], "value": 0.5}
    assert second.to_dict()["text"] == ["\ufffd", ""]
    assert isinstance(first.values["start"], np.ndarray) and type(first.values["value"]) is float
    json.dumps(second.to_dict())


@pytest.mark.parametrize("array", [np.float32(1), np.ones(3), np.ones((1, 2))])
def test_outputs_that_are_not_one_per_row_are_refused(array):
    with pytest.raises(ValueError, match=r"output x has shape .* for 2 texts; ask this signature with raw\(\)"):
        rows_of({"x": np.asarray(array)}, 2, "", [])


def test_one_request_keeps_the_order():
    assert split([[b"ccc", b"a", b"bb"]], 3, 1000) == [[0, 1, 2]]


def test_several_requests_put_like_lengths_together():
    assert split([[b"ccc", b"a", b"bb", b""]], 2, 1000) == [[3, 1], [2, 0]]
    assert split([[b"ccc", b"a"], [b"", b"bbbbbb"]], 1, 1000) == [[0], [1]]


def test_bytes_bound_a_request_and_a_long_row_goes_alone():
    rows = [b"x" * 500, b"a" * 10, b"b" * 20, b"c" * 30]
    assert split([rows], 99, 100) == [[1, 2], [3], [0]]
    assert sorted(sum(split([[b"x" * 999] * 5], 99, 10), [])) == [0, 1, 2, 3, 4]
