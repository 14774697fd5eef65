"""The arrays of several runs as those of one, and its outputs as theirs.

Sources: MergeInputTensors and SplitOutputTensors in tensorflow_serving/batching/batching_session.cc; batching_util.cc.
"""

import grpc
import numpy as np

from serving.server.status import StatusError, invalid

_LARGEST_PADDED_RANK = 6


def rows_of(inputs):
    """Number of rows that all arrays of `{tensor name: array}` have; INVALID_ARGUMENT where they cannot be batched."""
    if not inputs:
        raise invalid("Batching Run() must have at least one input tensor")
    if not all(array.ndim for array in inputs.values()):
        raise invalid("Batching Run() input tensors must have at least one dimension")
    sizes = {len(array) for array in inputs.values()}
    if len(sizes) > 1:
        raise invalid("Batching Run() input tensors must have equal 0th-dimension size")
    return sizes.pop()


def merged(inputs, rows, pad_variable_length):
    """`{tensor name: array}` of a list of such dicts, one after the other, filled up to `rows`."""
    return {name: _joined(name, [each[name] for each in inputs], rows, pad_variable_length) for name in inputs[0]}


def split(outputs, sizes, rows):
    """For each of `sizes` its rows of every array, a list of lists; `rows` is what was run, filled up included."""
    for array in outputs:
        if not np.ndim(array):
            raise _unbatchable("Batched output tensor has 0 dimensions")
        if len(array) != rows:
            raise _unbatchable(
                "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input "
                "tensors"
            )
    ends = np.cumsum([0, *sizes])
    return [[array[ends[i] : ends[i + 1]] for array in outputs] for i in range(len(sizes))]


def _joined(name, arrays, rows, pad_variable_length):
    if pad_variable_length:
        arrays = _of_one_shape(arrays)
    elif len({array.shape[1:] for array in arrays}) > 1:
        raise _unbatchable(
            f"Tensors with name '{name}' from different tasks have different shapes and padding is turned off.Set "
            "pad_variable_length_inputs to true, or ensure that all tensors with the same namehave equal dimensions "
            "starting with the first dim."
        )
    missing = rows - sum(map(len, arrays))
    if missing:  # the first row of the last task: a valid one
        filler = next((array for array in reversed(arrays) if len(array)), None)
        arrays = [*arrays, *([filler[:1]] * missing if filler is not None else [])]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _of_one_shape(arrays):
    """Every array as wide as the widest in each dimension but the first, filled with its own first element."""
    if any(array.ndim > _LARGEST_PADDED_RANK for array in arrays):
        raise invalid("Only tensors with rank from 1 to 6 can be padded.")
    if len({array.ndim for array in arrays}) > 1:
        raise invalid("Tensors of different ranks cannot be padded to one shape")
    widest = tuple(np.max([array.shape for array in arrays], axis=0)[1:])
    return [_padded(array, widest) for array in arrays]


def _padded(array, widest):
    if array.shape[1:] == widest:
        return array
    if not array.size:
        raise invalid("Got empty tensor in batch of non-empty tensors.")
    padded = np.full((len(array), *widest), array.flat[0], array.dtype)
    padded[tuple(slice(size) for size in array.shape)] = array
    return padded


def _unbatchable(message):
    return StatusError(grpc.StatusCode.FAILED_PRECONDITION, message)
