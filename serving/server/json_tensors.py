"""The tensors of a Predict request in JSON: by row, "instances", or by column, "inputs".

Source: FillPredictRequestFromJson and what it calls, in tensorflow_serving/util/json_tensor.cc.
"""

import contextlib
import math

from serving.server import json_scalars, json_values, tensors
from serving.server.status import StatusError, invalid

_MOST_DIMENSIONS = 254  # of TensorFlow's TensorShape


def fill(inputs, document, infos):
    """Fills PredictRequest.inputs from a request's document; whether it came by row, and its answer goes so.

    infos: `{name: TensorInfo}` of the signature's inputs. INVALID_ARGUMENT for what does not fit them.
    """
    if "instances" not in document:
        if "inputs" not in document:
            raise invalid("Missing 'inputs' or 'instances' key")
        _fill_from_columns(inputs, document["inputs"], infos)
        return False
    if "inputs" in document:
        what = "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist "
        raise json_values.faulty(document, what)
    if not isinstance(document["instances"], list):
        raise json_values.faulty(document, "Excepting 'instances' to be an list/array")
    if not document["instances"]:
        raise json_values.faulty(document, "No values in 'instances' array")
    _fill_from_rows(inputs, document["instances"], infos)
    return True


class _Column:
    """The elements of one input, row after row."""

    def __init__(self, info):
        self.dtype, self.elements, self.shape = info.dtype, [], None

    def add(self, value):
        """Adds a row, or the whole tensor; each row must have the first one's shape."""
        shape = _shape_of(value)
        _flatten(value, shape, 0, self.dtype, self.elements)
        if self.shape is None:
            self.shape = shape
        elif math.prod(shape) != math.prod(self.shape):
            raise invalid(f"Expecting tensor size: {math.prod(self.shape)} but got: {math.prod(shape)}")
        elif shape != self.shape:
            raise invalid(f"Expecting shape {_shape_text(self.shape)} but got: {_shape_text(shape)}")


def _fill_from_columns(inputs, given, infos):
    if _is_named(given):
        for name in sorted(infos):
            if name not in given:
                raise invalid(f"Missing named input: {name} in 'inputs' object.")
            _fill_whole(inputs[name], given[name], infos[name])
        return
    if len(infos) > 1:
        raise invalid(
            "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
            "tensorinfo_map"
        )
    (name,) = infos
    _fill_whole(inputs[name], given, infos[name])


def _fill_whole(tensor, value, info):
    column = _Column(info)
    column.add(value)
    tensors.fill_elements(tensor, column.elements, column.shape, info.dtype)


def _fill_from_rows(inputs, rows, infos):
    if not isinstance(rows[0], dict) and len(infos) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        )
    columns = {name: _Column(info) for name, info in sorted(infos.items())}
    add = _add_named if _is_named(rows[0]) else _add_plain
    for index, row in enumerate(rows):
        add(columns, row, index)
    for name, column in columns.items():
        if column.shape is not None:
            tensors.fill_elements(inputs[name], column.elements, [len(rows), *column.shape], column.dtype)


def _add_named(columns, row, index):
    if not _is_named(row):
        raise invalid(f"Expecting object but got list at item {index} of input list")
    for name, value in row.items():
        with _named_as(f"Failed to process element: {index} key: {name} of 'instances' list."):
            if name not in columns:
                raise invalid(f"JSON object: does not have named input: {name}")
            columns[name].add(value)
    if len(row) != len(columns):
        raise invalid(
            f"Failed to process element: {index} of 'instances' list. JSON object: {json_values.text(row)} keys must "
            f"be equal to: {','.join(columns)}"
        )


def _add_plain(columns, row, index):
    if _is_named(row):
        raise invalid(f"Expecting value/list but got object at item {index} of input list")
    with _named_as(f"Failed to process element: {index} of 'instances' list."):
        next(iter(columns.values())).add(row)


@contextlib.contextmanager
def _named_as(where):
    try:
        yield
    except StatusError as error:
        raise invalid(f"{where} Error: {error.code.name}: {error.message}") from None


def _is_named(value):
    return isinstance(value, dict) and not json_scalars.is_base64(value)


def _shape_of(value):
    """The shape that the first elements of nested lists have, a list."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    if len(shape) > _MOST_DIMENSIONS:
        raise invalid(f"tensor parsing error: {len(shape)} dimensions")
    return shape


def _flatten(value, shape, level, dtype, elements):
    """Appends the elements of a value; every list must be as long as `shape` says."""
    if not isinstance(value, list):
        if level != len(shape):
            raise json_values.faulty(
                value, f"found at incorrect level: {level + 1} in the JSON DOM. Expected at level: {len(shape)}"
            )
        elements.append(json_scalars.element(value, dtype))
        return
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )
    for each in value:
        _flatten(each, shape, level + 1, dtype, elements)


def _shape_text(shape):
    return f"[{','.join(map(str, shape))}]"
