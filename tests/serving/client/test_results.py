"""Output arrays to rows, and rows to requests."""

import copy
import json
import pickle

import numpy as np
import pytest

from serving.client.batches import split
from serving.client.results import Answer, Classification, MultiLabel, Outputs, Regression
from serving.client.rows import rows_of
from serving.client.tensors import decode, encode


def strings(*values):
    return np.array([*values, None], dtype=object)[:-1]


def encoded(outputs):
    return {name: encode(array) for name, array in outputs.items()}


def classified(rows):
    return {
        "label": strings(*[b"b"] * rows),
        "score": np.full(rows, 0.75, np.float32),
        "probabilities": np.tile(np.float32([0.25, 0.75]), (rows, 1)),
        "truncated": np.zeros(rows, bool),
        "abstain": np.zeros(rows, bool),
    }


def repeated(proto, shortened):
    """The same tensor as a server answers it: in the field of its dtype, without a last value that repeats."""
    array = decode(proto)
    field = {"f": "float_val", "b": "bool_val", "O": "string_val"}[array.dtype.kind]
    values = array.ravel().tolist()
    while shortened and len(values) > 1 and values[-1] == values[-2]:
        values.pop()
    proto.ClearField("tensor_content")
    proto.ClearField(field)
    getattr(proto, field).extend(values)
    return proto


@pytest.mark.parametrize("shortened", [False, True])
def test_answers_in_repeated_fields_give_the_same_rows(shortened):
    outputs = classified(3)
    outputs["probabilities"][0] = outputs["probabilities"][2] = [0.5, 0.5]
    outputs["abstain"][0] = True
    expected = rows_of(encoded(outputs), 3, "classification", ["a", "b"])
    answers = {name: repeated(proto, shortened) for name, proto in encoded(outputs).items()}
    assert rows_of(answers, 3, "classification", ["a", "b"]) == expected
    assert [row.abstain for row in expected] == [True, False, False]


def test_a_classification_may_have_more_outputs_than_are_known():
    outputs = classified(2) | {"selected": np.ones((2, 2), bool)}
    expected = Classification("b", 0.75, {"a": 0.25, "b": 0.75}, False, False)
    assert rows_of(encoded(outputs), 2, "classification", ["a", "b"]) == [expected] * 2


def test_a_classification_is_a_value():
    one = Classification("b", 0.75, {"a": 0.25, "b": 0.75}, False, True)
    assert (one.label, one.score, one.truncated, one.abstain) == ("b", 0.75, False, True)
    assert one.probabilities == {"a": 0.25, "b": 0.75}
    assert eval(repr(one)) == one and pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one
    assert len({one, copy.copy(one)}) == 1
    with pytest.raises(AttributeError):
        one.label = "a"


def test_a_classification_says_how_far_out_a_text_is_where_its_version_does():
    outputs = classified(2) | {"out_of_scope": np.float32([-1.5, 2.5])}
    first, second = rows_of(encoded(outputs), 2, "classification", ["a", "b"])
    assert (first.out_of_scope, second.out_of_scope) == (-1.5, 2.5) and second.to_dict()["out_of_scope"] == 2.5
    assert first == Classification("b", 0.75, {"a": 0.25, "b": 0.75}, False, False, -1.5)
    assert eval(repr(first)) == pickle.loads(pickle.dumps(first)) == copy.deepcopy(first) == first
    (older,) = rows_of(encoded(classified(1)), 1, "classification", ["a", "b"])
    assert older.out_of_scope is None and "out_of_scope" not in older.to_dict()
    with pytest.raises(ValueError, match="out_of_scope has shape"):
        wrong = classified(2) | {"out_of_scope": np.ones((2, 2), np.float32)}
        rows_of(encoded(wrong), 2, "classification", ["a", "b"])


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("score", np.ones((2, 2), np.float32)), ("probabilities", np.ones((2, 3))), ("probabilities", np.ones(2))],
)
def test_a_classification_of_other_shapes_is_refused(name, wrong):
    with pytest.raises(ValueError, match="has shape"):
        rows_of(encoded(classified(2) | {name: wrong}), 2, "classification", ["a", "b"])


def test_labels_that_are_no_utf8_are_still_text():
    outputs = encoded(classified(2) | {"label": strings(b"\xff", "电".encode())})
    assert [row.label for row in rows_of(outputs, 2, "classification", ["a", "b"])] == ["\ufffd", "电"]


@pytest.mark.parametrize("missing", ["label", "abstain"])
def test_a_classification_that_lacks_an_output_is_generic(missing):
    outputs = classified(1)
    del outputs[missing]
    (row,) = rows_of(encoded(outputs), 1, "classification", ["a", "b"])
    assert isinstance(row, Outputs) and missing not in row.values


def test_generic_rows_hold_plain_values_and_arrays():
    outputs = {
        "value": np.float32([0.5, 1.5]),
        "count": np.int32([1, 2]),
        "start": np.int64([[0, 4], [3, -1]]),
        "text": np.array([[b"a", "电".encode()], [b"\xff", b""]], dtype=object),
    }
    first, second = rows_of(encoded(outputs), 2, "tagging", [])
    assert first.to_dict() == {"count": 1, "start": [0, 4], "text": ["a", "电"], "value": 0.5}
    assert second.to_dict()["text"] == ["\ufffd", ""]
    assert isinstance(first.values["start"], np.ndarray) and type(first.values["value"]) is float
    json.dumps(second.to_dict())


@pytest.mark.parametrize("array", [np.float32(1), np.ones(3), np.ones((1, 2))])
def test_outputs_that_are_not_one_per_row_are_refused(array):
    with pytest.raises(ValueError, match=r"output x has shape .* for 2 texts; ask this signature with raw\(\)"):
        rows_of({"x": encode(np.asarray(array))}, 2, "", [])


def test_answers_say_where_they_stand():
    outputs = {
        "answer": np.array(["中国".encode(), b""], dtype=object),
        **{"start": np.int32([2, -1]), "end": np.int32([4, -1]), "score": np.float32([0.5, 0.75])},
        **{"answerable": np.array([True, False]), "truncated": np.array([False, True])},
    }
    first, second = rows_of(encoded(outputs), 2, "span_qa", [])
    assert first == Answer("中国", 2, 4, 0.5, True, False) and "去 中国"[first.start : first.end] == first.answer
    assert list(second.to_dict().values()) == ["", -1, -1, 0.75, False, True]
    with pytest.raises(ValueError, match=r"start has shape \(2, 1\) and not one value per text"):
        rows_of(encoded(outputs | {"start": np.int32([[2], [1]])}), 2, "span_qa", [])


def test_one_request_keeps_the_order():
    assert split([[b"ccc", b"a", b"bb"]], 3, 1000) == [[0, 1, 2]]


def test_several_requests_put_like_lengths_together():
    assert split([[b"ccc", b"a", b"bb", b""]], 2, 1000) == [[3, 1], [2, 0]]
    assert split([[b"ccc", b"a"], [b"", b"bbbbbb"]], 1, 1000) == [[0], [1]]


def test_bytes_bound_a_request_and_a_long_row_goes_alone():
    rows = [b"x" * 500, b"a" * 10, b"b" * 20, b"c" * 30]
    assert split([rows], 99, 100) == [[1, 2], [3], [0]]
    assert sorted(sum(split([[b"x" * 999] * 5], 99, 10), [])) == [0, 1, 2, 3, 4]


def label_sets(rows):
    probabilities = np.float32([[0.75, 0.25, 0.875]] * rows)
    return classified(rows) | {"probabilities": probabilities, "selected": probabilities > 0.5}


def test_several_labels_come_with_the_most_probable_first():
    first, _ = rows_of(encoded(label_sets(2)), 2, "multi_label", ["a", "b", "c"])
    assert first == MultiLabel(("c", "a"), {"a": 0.75, "b": 0.25, "c": 0.875}, False)
    assert first.to_dict() == {
        "labels": ["c", "a"],
        "probabilities": {"a": 0.75, "b": 0.25, "c": 0.875},
        "truncated": False,
    }
    with pytest.raises(ValueError, match="the contract names 2 labels but probabilities has shape"):
        rows_of(encoded(label_sets(2)), 2, "multi_label", ["a", "b"])


def test_no_label_is_an_answer_too():
    outputs = label_sets(1) | {"selected": np.array([[False] * 3])}
    assert rows_of(encoded(outputs), 1, "multi_label", ["a", "b", "c"])[0].labels == ()


def test_scores_are_numbers():
    outputs = {"value": np.float32([1.5, -2]), "truncated": np.array([False, True])}
    first, second = rows_of(encoded(outputs), 2, "regression", [])
    assert first == Regression(1.5, False) and second.to_dict() == {"value": -2.0, "truncated": True}
    with pytest.raises(ValueError, match=r"value has shape \(2, 1\) and not one value per text"):
        rows_of(encoded(outputs | {"value": np.float32([[1], [2]])}), 2, "regression", [])
