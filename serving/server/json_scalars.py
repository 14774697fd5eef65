"""One JSON value as one element of a tensor, or the refusal of it.

Source: AddValueToTensor, IsLosslessDecimal and JsonDecodeBase64Object in tensorflow_serving/util/json_tensor.cc.
"""

import base64
import math

import grpc
import numpy as np
from tensorflow.core.framework import types_pb2

from serving.server import json_values, tensors
from serving.server.status import StatusError, invalid

_WHOLE = {  # the real server looks at 32 bits of the small ones, and cuts off what the tensor has no room for
    **dict.fromkeys(
        (types_pb2.DT_INT32, types_pb2.DT_INT16, types_pb2.DT_INT8, types_pb2.DT_UINT8), (-(2**31), 2**31 - 1)
    ),
    types_pb2.DT_INT64: (-(2**63), 2**63 - 1),
    types_pb2.DT_UINT32: (0, 2**32 - 1),
    types_pb2.DT_UINT64: (0, 2**64 - 1),
}
_DECIMAL = {types_pb2.DT_FLOAT: np.float32, types_pb2.DT_DOUBLE: np.float64}
_KEY = "b64"


def element(value, dtype):
    """What a value that is no list puts into a tensor of `dtype` (enum); StatusError where it cannot be put there."""
    if isinstance(value, dict):
        if dtype != types_pb2.DT_STRING:
            raise _wrong_type(value, dtype)
        return decoded(value)
    if dtype == types_pb2.DT_STRING:
        return _of_type(str, value, dtype).encode()
    if dtype == types_pb2.DT_BOOL:
        return _of_type(bool, value, dtype)
    if dtype in _DECIMAL:
        return _decimal(value, dtype)
    if dtype in _WHOLE:
        return _whole(value, dtype)
    message = f"Conversion of JSON Value: {json_values.text(value)} to type: {tensors.type_name(dtype)}"
    raise StatusError(grpc.StatusCode.UNIMPLEMENTED, message)


def is_base64(value):
    """Whether a value is `{"b64": text}` and nothing else."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get(_KEY), str)


def decoded(value):
    """The bytes of `{"b64": text}`; INVALID_ARGUMENT where it is none. The padding may be left out, not be wrong."""
    if not is_base64(value):
        raise json_values.faulty(value, "not formatted correctly for base64 data")
    given = "".join(value[_KEY].split())
    digits = given.rstrip("=")
    padding = "=" * (-len(digits) % 4)
    try:
        if given not in (digits, digits + padding):
            raise ValueError
        return base64.b64decode(digits + padding, validate=True)
    except ValueError:
        raise invalid("Unable to base64 decode") from None


def check_lossless(value, dtype):
    """INVALID_ARGUMENT for a number that a DT_FLOAT or DT_DOUBLE cannot hold."""
    limits = np.finfo(_DECIMAL[dtype])
    most = float(limits.max) if isinstance(value, float) else 2 ** (limits.nmant + 1) - 1
    if abs(value) > most and not (isinstance(value, float) and math.isinf(value)):
        name = tensors.type_name(dtype)
        raise invalid(f"Cannot convert JSON value: {json_values.text(value)} to {name} without loss of precision.")


def _decimal(value, dtype):
    if type(value) not in (int, float):
        raise _wrong_type(value, dtype)
    check_lossless(value, dtype)
    return value


def _whole(value, dtype):
    least, most = _WHOLE[dtype]
    if type(value) is not int or not least <= value <= most:
        raise _wrong_type(value, dtype)
    return value


def _of_type(expected, value, dtype):
    if not isinstance(value, expected):
        raise _wrong_type(value, dtype)
    return value


def _wrong_type(value, dtype):
    kind = json_values.kind(value)
    return json_values.faulty(value, f"Type: {kind} is not of expected type: {tensors.type_name(dtype)}")
