import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.server import tensors


@pytest.mark.parametrize(
    "array",
    [
        np.array([1.5, -2.0, 3.25], np.float32),
        np.array([[1, 2], [3, 4]], np.int64),
        np.array([-3, 4], np.int8),
        np.array([3, 2**32 - 1], np.uint32),
        np.array([True, False]),
        np.array([0.5, 2.0], np.float16),
        np.array(7.0, np.float64),
        np.array([[1 + 2j], [-3.5j]], np.complex64),
        np.array([1 + 2j], np.complex128),
        np.zeros((0, 3), np.float32),
        np.array(["ü".encode(), b"a\0b", b""], object),
    ],
)
def test_arrays_go_and_come_back_as_tensorflow_reads_them(array):
    dtype = tf.as_dtype(array.dtype).as_datatype_enum
    ours = tensor_pb2.TensorProto()
    tensors.fill(ours, array, dtype)
    assert not ours.tensor_content
    for back in (tf.make_ndarray(ours), tensors.to_array(ours), tensors.to_array(tf.make_tensor_proto(array))):
        assert back.shape == array.shape and back.dtype == array.dtype
        np.testing.assert_array_equal(back, array)


def test_values_left_out_repeat_the_last_one():
    proto = tensor_pb2.TensorProto(dtype=1, float_val=[1, 2])
    proto.tensor_shape.dim.add(size=4)
    np.testing.assert_array_equal(tensors.to_array(proto), [1, 2, 2, 2])
    del proto.float_val[:]
    np.testing.assert_array_equal(tensors.to_array(proto), np.zeros(4))


def test_strings_may_be_content_with_their_lengths_before_them():
    proto = tensor_pb2.TensorProto(dtype=7, tensor_content=b"\x03\x00\x82\x01" + b"abc" + b"x" * 130)
    proto.tensor_shape.dim.add(size=3)
    assert tensors.to_array(proto).tolist() == [b"abc", b"", b"x" * 130]


@pytest.mark.parametrize("content", [b"\x01", b"\x01\x01a", b"\x01\x01abc", b"\xff" * 9, b"\x80"])
def test_strings_as_content_of_another_size_are_refused(content):
    proto = tensor_pb2.TensorProto(dtype=7, tensor_content=content)
    proto.tensor_shape.dim.add(size=2)
    with pytest.raises(ValueError):
        tensors.to_array(proto)


def test_a_tensor_of_no_elements_needs_no_content_that_fits():
    proto = tensor_pb2.TensorProto(dtype=1, tensor_content=b"12345")
    proto.tensor_shape.dim.add(size=0)
    assert tensors.to_array(proto).shape == (0,)


def test_an_unknown_rank_is_that_of_a_scalar():
    proto = tensor_pb2.TensorProto(dtype=1, float_val=[2.5])
    proto.tensor_shape.unknown_rank = True
    assert tensors.to_array(proto) == 2.5 and tensors.to_array(proto).shape == ()


def test_half_is_the_low_sixteen_bits_of_what_the_field_holds():
    proto = tensor_pb2.TensorProto(dtype=19, half_val=[0x13C00, -1])
    proto.tensor_shape.dim.add(size=2)
    assert tensors.to_array(proto).view(np.uint16).tolist() == [0x3C00, 0xFFFF]


@pytest.mark.parametrize("size", [-1, 1 << 40])
def test_shapes_that_no_message_can_mean_are_refused(size):
    proto = tensor_pb2.TensorProto(dtype=7, string_val=[b"x"])
    proto.tensor_shape.dim.add(size=size)
    with pytest.raises(ValueError):
        tensors.to_array(proto)


def test_one_value_that_claims_many_takes_no_memory():
    proto = tensor_pb2.TensorProto(dtype=2, double_val=[0.5])
    proto.tensor_shape.dim.extend([proto.tensor_shape.Dim(size=1 << 13)] * 2)
    array = tensors.to_array(proto)
    assert array.shape == (1 << 13, 1 << 13) and array[-1, -1] == 0.5 and array.strides == (0, 0)


def test_refuses_content_of_another_size_and_unknown_dtypes():
    proto = tensor_pb2.TensorProto(dtype=1, tensor_content=b"12345")
    proto.tensor_shape.dim.add(size=2)
    with pytest.raises(ValueError):
        tensors.to_array(proto)
    with pytest.raises(ValueError):
        tensors.to_array(tensor_pb2.TensorProto(dtype=0))


def test_types_have_the_names_of_the_c_library():
    assert [tensors.type_name(dtype) for dtype in (1, 2, 3, 7, 9, 10, 14)] == [
        "float",
        "double",
        "int32",
        "string",
        "int64",
        "bool",
        "bfloat16",
    ]
