"""numpy arrays and Python lists to TensorProto, and back.

Numbers travel as little-endian `tensor_content`, which TensorFlow Serving takes; it answers in the repeated fields
(`float_val` …), where a last value that repeats may be left out. Both forms are read.
"""

import math

import numpy as np

from . import protos
from .protos import DataType

_FROM_NUMPY = {
    np.dtype(np.float32): "DT_FLOAT",
    np.dtype(np.float64): "DT_DOUBLE",
    np.dtype(np.float16): "DT_HALF",
    np.dtype(np.int8): "DT_INT8",
    np.dtype(np.int16): "DT_INT16",
    np.dtype(np.int32): "DT_INT32",
    np.dtype(np.int64): "DT_INT64",
    np.dtype(np.uint8): "DT_UINT8",
    np.dtype(np.uint16): "DT_UINT16",
    np.dtype(np.uint32): "DT_UINT32",
    np.dtype(np.uint64): "DT_UINT64",
    np.dtype(np.bool_): "DT_BOOL",
}
_FEW = 32  # values up to which a list is the fastest way into numpy; more of them protobuf hands over in one piece
TO_NUMPY = {DataType[name]: dtype for dtype, name in _FROM_NUMPY.items()}
_FIELDS = {
    "DT_FLOAT": "float_val",
    "DT_DOUBLE": "double_val",
    "DT_INT64": "int64_val",
    "DT_UINT32": "uint32_val",
    "DT_UINT64": "uint64_val",
    "DT_BOOL": "bool_val",
    **dict.fromkeys(["DT_INT8", "DT_INT16", "DT_INT32", "DT_UINT8", "DT_UINT16"], "int_val"),
}
_FIELDS = {DataType[name]: field for name, field in _FIELDS.items()}


def encode_text(text):
    """UTF-8 of a str; a lone surrogate, which UTF-8 cannot hold, goes as U+FFFD."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text).encode("utf-8")


def put_strings(proto, values):
    """Makes an empty TensorProto the rank 1 DT_STRING tensor of a list of bytes."""
    proto.dtype = DataType["DT_STRING"]
    proto.string_val.extend(values)
    proto.tensor_shape.dim.add(size=len(values))


def encode(value):
    """TensorProto of an array, or of a scalar or nested list of one type.

    An array keeps its dtype. Python floats go as float32 and Python ints as int32 (int64 where one does not fit), which
    is what TensorFlow makes of them; str goes as UTF-8, bytes as they are. Raises ValueError for anything else.
    """
    array = value if isinstance(value, np.ndarray) else _array_of(value)
    if array.dtype.kind in "SUO":
        proto = protos.TensorProto(
            dtype=DataType["DT_STRING"], string_val=[_to_bytes(item) for item in array.ravel().tolist()]
        )
    elif array.dtype.newbyteorder("=") in _FROM_NUMPY:
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        name = _FROM_NUMPY[array.dtype.newbyteorder("=")]
        proto = protos.TensorProto(dtype=DataType[name], tensor_content=little.tobytes())
    else:
        raise ValueError(f"an array of dtype {array.dtype} cannot be sent")
    proto.tensor_shape.SetInParent()
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def _array_of(value):
    array = np.asarray(value)
    if array.dtype.kind in "SU":
        return np.asarray(value, dtype=object)  # numpy's own string dtypes drop trailing NULs
    if isinstance(value, np.generic):
        return array
    if array.dtype == np.float64:
        return array.astype(np.float32)
    if array.dtype == np.int64 and (not array.size or (array.min() >= -(2**31) and array.max() < 2**31)):
        return array.astype(np.int32)
    return array


def _to_bytes(item):
    if isinstance(item, str):
        return encode_text(item)
    if isinstance(item, bytes):
        return item
    raise ValueError(f"a string tensor holds str or bytes, not {type(item).__name__}")


def shape_of(proto):
    """The sizes of a TensorProto; ValueError where one is unknown."""
    shape = tuple([dim.size for dim in proto.tensor_shape.dim])
    if proto.tensor_shape.unknown_rank or min(shape, default=0) < 0:
        raise ValueError(f"a tensor of unknown shape {shape} cannot be read")
    return shape


def flat(proto, shape):
    """The values of a TensorProto of `shape` as a list of Python scalars, row by row; strings as str.

    The same as decode() without numpy between, where every value was sent. Raises ValueError like it.
    """
    texts = proto.dtype == DataType["DT_STRING"]
    field = "string_val" if texts else _FIELDS.get(proto.dtype)
    values = getattr(proto, field)[:] if field else []
    if len(values) != math.prod(shape):
        values = decode(proto).ravel().tolist()
    if not texts:
        return values
    try:
        return list(map(bytes.decode, values))
    except UnicodeDecodeError:
        return [value.decode("utf-8", "replace") for value in values]


def decode(proto):
    """The array of a TensorProto; strings as an object array of bytes, bfloat16 as float32.

    Raises ValueError where dtype, shape and values do not fit together.
    """
    shape = shape_of(proto)
    if proto.dtype == DataType["DT_STRING"]:
        return _decode_strings(proto.string_val, shape)
    if proto.dtype in (DataType["DT_HALF"], DataType["DT_BFLOAT16"]):
        return _decode_halves(proto, shape)
    if proto.dtype not in TO_NUMPY:
        raise ValueError(f"a tensor of dtype number {proto.dtype} cannot be read")
    return _numbers(proto, getattr(proto, _FIELDS[proto.dtype]), TO_NUMPY[proto.dtype], shape)


def _numbers(proto, values, dtype, shape):
    if proto.tensor_content:
        return np.frombuffer(proto.tensor_content, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
    few = len(values) <= _FEW
    return _fill(np.array(values[:] if few else values, dtype), shape)


def _fill(values, shape):
    """`values` in `shape`: the last one repeats to the end, and none at all means zeros."""
    size = math.prod(shape)
    if len(values) > size:
        raise ValueError(f"a tensor of shape {shape} came with {len(values)} values")
    if len(values) < size:
        filled = np.zeros(size, values.dtype)
        filled[: len(values)] = values
        filled[len(values) :] = values[-1] if len(values) else 0
        values = filled
    return values.reshape(shape)


def _decode_halves(proto, shape):
    """float16, or float32 of bfloat16's upper 16 bits; `half_val` holds the bits of either in an int32."""
    bits = _numbers(proto, proto.half_val, np.dtype(np.uint16), shape)
    if proto.dtype == DataType["DT_HALF"]:
        return bits.view(np.float16)
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _decode_strings(values, shape):
    size = math.prod(shape)
    if len(values) > size:
        raise ValueError(f"a tensor of shape {shape} came with {len(values)} values")
    last = values[-1] if values else b""
    array = np.empty(size, dtype=object)
    array[:] = [*values, *[last] * (size - len(values))]
    return array.reshape(shape)
