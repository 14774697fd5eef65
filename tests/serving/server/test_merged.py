import grpc
import numpy as np
import pytest

from serving.exchange import strings
from serving.server import merged
from serving.server.status import StatusError


def refusal(call, *arguments):
    with pytest.raises(StatusError) as caught:
        call(*arguments)
    return caught.value


def test_rows_are_what_all_inputs_have_in_common():
    assert merged.rows_of({"a": np.zeros((3, 2)), "b": np.zeros(3)}) == 3
    assert "equal 0th-dimension size" in refusal(merged.rows_of, {"a": np.zeros(3), "b": np.zeros(2)}).message
    assert "at least one dimension" in refusal(merged.rows_of, {"a": np.zeros(())}).message
    assert "at least one input tensor" in refusal(merged.rows_of, {}).message


def test_runs_are_joined_in_order_and_filled_with_a_valid_row():
    inputs = [{"text": strings(["a", "长"])}, {"text": strings(["c"])}]
    assert merged.merged(inputs, 5, False)["text"].tolist() == [b"a", "长".encode(), b"c", b"c", b"c"]


def test_a_run_without_rows_does_not_fill():
    inputs = [{"text": strings(["a", "b"])}, {"text": strings([])}]
    assert merged.merged(inputs, 3, False)["text"].tolist() == [b"a", b"b", b"a"]


def test_other_shapes_cannot_be_joined_unless_they_are_padded():
    inputs = [{"ids": np.array([[7, 8, 9]])}, {"ids": np.array([[5, 6]])}]
    error = refusal(merged.merged, inputs, 2, False)
    assert error.code == grpc.StatusCode.FAILED_PRECONDITION
    assert "from different tasks have different shapes and padding is turned off" in error.message
    # The filling is the first element, not a zero: the real server's way, which corrupts short rows of token ids.
    assert merged.merged(inputs, 2, True)["ids"].tolist() == [[7, 8, 9], [5, 6, 5]]


def test_outputs_are_cut_to_the_runs_and_the_filling_is_dropped():
    outputs = [np.arange(8).reshape(4, 2), strings(["a", "b", "c", "d"])]
    first, second = merged.split(outputs, [2, 1], 4)
    assert first[0].tolist() == [[0, 1], [2, 3]] and first[1].tolist() == [b"a", b"b"]
    assert second[0].tolist() == [[4, 5]] and second[1].tolist() == [b"c"]


def test_outputs_that_do_not_follow_the_rows_are_refused():
    assert refusal(merged.split, [np.float32(1)], [1], 1).message == "Batched output tensor has 0 dimensions"
    error = refusal(merged.split, [np.zeros(1)], [2], 2)
    assert error.code == grpc.StatusCode.FAILED_PRECONDITION and "0th dimension does not equal" in error.message
