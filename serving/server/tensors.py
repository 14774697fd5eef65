"""TensorProto to array and back, as tensorflow/core/framework/tensor.cc (FromProto, AsProtoField) does it."""

import math

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2

_FIELDS = {
    types_pb2.DT_FLOAT: "float_val",
    types_pb2.DT_DOUBLE: "double_val",
    types_pb2.DT_INT8: "int_val",
    types_pb2.DT_INT16: "int_val",
    types_pb2.DT_INT32: "int_val",
    types_pb2.DT_UINT8: "int_val",
    types_pb2.DT_UINT16: "int_val",
    types_pb2.DT_UINT32: "uint32_val",
    types_pb2.DT_UINT64: "uint64_val",
    types_pb2.DT_INT64: "int64_val",
    types_pb2.DT_BOOL: "bool_val",
    types_pb2.DT_STRING: "string_val",
    types_pb2.DT_HALF: "half_val",
    types_pb2.DT_BFLOAT16: "half_val",
    types_pb2.DT_COMPLEX64: "scomplex_val",
    types_pb2.DT_COMPLEX128: "dcomplex_val",
}
_COMPLEX = {"scomplex_val": np.float32, "dcomplex_val": np.float64}  # real and imaginary parts by turns
# A message may leave trailing equal values out, so a few bytes can claim terabytes; no request comes near this. Texts
# cost a model most, and nobody leaves many out.
_MOST_IMPLIED_ELEMENTS = 1 << 26
_MOST_IMPLIED_TEXTS = 1 << 12


def type_name(dtype):
    """The name that TensorFlow's C++ gives a dtype (enum): float, not float32."""
    return {"float32": "float", "float64": "double", "float16": "half"}.get(name := tf.as_dtype(dtype).name, name)


def wrong_type(index, expected, given):
    """The session's words for a fed tensor of another dtype (enum)."""
    return f"Expects arg[{index}] to be {type_name(expected)} but {type_name(given)} is provided"


def shape_text(array):
    """The shape of an array in the words of TensorFlow's C++: [2,3]."""
    return f"[{','.join(map(str, np.shape(array)))}]"


def dtype_text(array):
    """The dtype of an array in the words of TensorFlow's protos: DT_FLOAT."""
    return types_pb2.DataType.Name(tf.as_dtype(array.dtype).as_datatype_enum)


def to_array(proto):
    """The array of a TensorProto, strings as objects holding bytes; ValueError where it is not a tensor."""
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if proto.dtype not in _FIELDS or min(shape, default=0) < 0:
        raise ValueError("dtype or shape")
    numpy_type, count = tf.as_dtype(proto.dtype).as_numpy_dtype, math.prod(shape)
    if proto.tensor_content and count:
        content = _strings(proto.tensor_content, count) if proto.dtype == types_pb2.DT_STRING else None
        return (np.frombuffer(proto.tensor_content, numpy_type) if content is None else content).reshape(shape)
    return _filled(_values(proto, numpy_type), count).reshape(shape)


def fill(proto, array, dtype):
    """Puts an array into a TensorProto, in the field of `dtype` (enum) as the server does: clients read `float_val`."""
    array = np.asarray(array, object if dtype == types_pb2.DT_STRING else None)
    if _FIELDS[dtype] == "half_val":
        array = array.view(np.uint16)
    if _FIELDS[dtype] in _COMPLEX:
        parts = np.ascontiguousarray(array).ravel().view(_COMPLEX[_FIELDS[dtype]])
        return fill_elements(proto, parts.tolist(), array.shape, dtype)
    fill_elements(proto, array.ravel().tolist(), array.shape, dtype)


def fill_elements(proto, elements, shape, dtype):
    """The same of a flat list of what the field holds."""
    proto.dtype = dtype
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    getattr(proto, _FIELDS[dtype]).extend(elements)


def _values(proto, numpy_type):
    values = getattr(proto, _FIELDS[proto.dtype])
    if proto.dtype == types_pb2.DT_STRING:
        array = np.empty(len(values), object)
        array[:] = list(values)
        return array
    if _FIELDS[proto.dtype] == "half_val":
        return np.array(values, np.int64).astype(np.uint16).view(numpy_type)
    if _FIELDS[proto.dtype] in _COMPLEX:
        return np.array(values[: len(values) // 2 * 2], _COMPLEX[_FIELDS[proto.dtype]]).view(numpy_type)
    return np.array(values, np.int64 if _FIELDS[proto.dtype] == "int_val" else numpy_type).astype(numpy_type)


def _strings(content, count):
    """The strings of a tensor_content: all their lengths as varints, then all their bytes (DecodeStringList)."""
    sizes, position = [], 0
    for _ in range(count):
        size, shift, byte = 0, 0, 0x80
        while byte & 0x80:
            if position == len(content) or shift > 28:
                raise ValueError("lengths of strings")
            byte = content[position]
            size |= (byte & 0x7F) << shift
            position, shift = position + 1, shift + 7
        sizes.append(size)
    if position + sum(sizes) != len(content):
        raise ValueError("bytes of strings")
    array = np.empty(count, object)
    for index, size in enumerate(sizes):
        array[index] = content[position : position + size]
        position += size
    return array


def _filled(values, count):
    """`count` values: those beyond are dropped, those that lack repeat the last one, or zero where there is none."""
    if len(values) >= count:
        return values[:count]
    if count > (_MOST_IMPLIED_TEXTS if values.dtype == object else _MOST_IMPLIED_ELEMENTS):
        raise ValueError("shape")
    last = values[-1] if len(values) else (b"" if values.dtype == object else 0)
    if len(values) < 2:  # takes no memory before it is known that the model wants it
        return np.broadcast_to(np.array(last, values.dtype), count)
    filled = np.full(count, last, values.dtype)
    filled[: len(values)] = values
    return filled
