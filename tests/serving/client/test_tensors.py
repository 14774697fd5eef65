"""Arrays to TensorProto and back."""

import numpy as np
import pytest

from serving.client.protos import DataType, TensorProto
from serving.client.tensors import decode, encode


def proto_of(dtype, shape, **values):
    proto = TensorProto(dtype=DataType[dtype], **values)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3), (2, 0, 3)])
@pytest.mark.parametrize("dtype", "f4 f8 f2 i1 i2 i4 i8 u1 u2 u4 u8 ? >f4 >i8".split())
def test_numbers_survive_the_way_there_and_back(dtype, shape):
    array = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    again = decode(TensorProto.FromString(encode(array).SerializeToString()))
    assert again.shape == shape and again.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(again, array)


@pytest.mark.parametrize(
    ("value", "dtype", "content"),
    [
        (1.5, "DT_FLOAT", 1.5),
        ([1, 2], "DT_INT32", [1, 2]),
        ([-(2**31), 2**31 - 1], "DT_INT32", [-(2**31), 2**31 - 1]),
        ([2**40], "DT_INT64", [2**40]),
        ([-(2**63)], "DT_INT64", [-(2**63)]),
        (np.float64(2), "DT_DOUBLE", 2.0),
        ([True, False], "DT_BOOL", [True, False]),
        ("a\0", "DT_STRING", b"a\0"),
        ([["a", "b\0"], ["c", "电影"]], "DT_STRING", [[b"a", b"b\0"], [b"c", "电影".encode()]]),
        ([b"\xff\0", b""], "DT_STRING", [b"\xff\0", b""]),
        (np.array(["a", "bc"]), "DT_STRING", [b"a", b"bc"]),
    ],
)
def test_python_values_become_what_tensorflow_makes_of_them(value, dtype, content):
    proto = encode(value)
    assert proto.dtype == DataType[dtype]
    assert decode(proto).tolist() == content


@pytest.mark.parametrize("value", [[object()], ["a", None], np.zeros(1, np.complex64), [[1], [2, 3]]])
def test_what_cannot_be_sent_is_a_value_error(value):
    with pytest.raises(ValueError):
        encode(value)


@pytest.mark.parametrize(
    ("dtype", "field", "values", "shape", "array"),
    [
        ("DT_FLOAT", "float_val", [1, 2], (4,), [1, 2, 2, 2]),
        ("DT_FLOAT", "float_val", [], (2, 2), [[0, 0], [0, 0]]),
        ("DT_FLOAT", "float_val", [3], (), 3),
        ("DT_DOUBLE", "double_val", [1.5], (2,), [1.5, 1.5]),
        ("DT_INT32", "int_val", [-1, 7], (3,), [-1, 7, 7]),
        ("DT_INT8", "int_val", [-1, 7], (2,), [-1, 7]),
        ("DT_UINT16", "int_val", [65535], (1,), [65535]),
        ("DT_INT64", "int64_val", [2**40], (2,), [2**40] * 2),
        ("DT_UINT64", "uint64_val", [2**63], (1,), [2**63]),
        ("DT_BOOL", "bool_val", [False, True], (3,), [False, True, True]),
        ("DT_STRING", "string_val", [b"a", b"\xff"], (3,), [b"a", b"\xff", b"\xff"]),
        ("DT_STRING", "string_val", [], (2,), [b"", b""]),
        ("DT_HALF", "half_val", [0x3C00, 0xC000], (2,), [1, -2]),
        ("DT_BFLOAT16", "half_val", [0x3F80, 0xC000], (3,), [1, -2, -2]),
        ("DT_BFLOAT16", "tensor_content", b"\x80\x3f", (1,), [1]),
        ("DT_HALF", "tensor_content", b"\x00\x3c", (1,), [1]),
    ],
)
def test_answers_in_repeated_fields(dtype, field, values, shape, array):
    proto = proto_of(dtype, shape, **{field: values})
    assert decode(proto).tolist() == array


@pytest.mark.parametrize(
    "proto",
    [
        proto_of("DT_FLOAT", (1,), float_val=[1, 2]),
        proto_of("DT_STRING", (1,), string_val=[b"a", b"b"]),
        proto_of("DT_FLOAT", (2,), tensor_content=b"1234"),
        proto_of("DT_FLOAT", (2,), tensor_content=b"12345"),
        proto_of("DT_FLOAT", (-1,), float_val=[1]),
        proto_of("DT_INVALID", (1,)),
        TensorProto(dtype=8),
    ],
)
def test_what_does_not_fit_together_is_a_value_error(proto):
    with pytest.raises(ValueError):
        decode(proto)
