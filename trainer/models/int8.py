"""A dense product in int8 on a CPU: a scale for each column of the kernel, and one for each token.

The product is oneDNN's `_QuantizedMatMul`, which stock TensorFlow and TF Serving carry on x86; no GPU has it. A token's
scale is its own largest number, found as it comes, so that its answer does not depend on what it is asked with.
"""

import dataclasses
from typing import Any

import tensorflow as tf
from tensorflow.core.framework.attr_value_pb2 import AttrValue

_OP = "_QuantizedMatMul"
_LARGEST = 127.0


@dataclasses.dataclass
class Int8Kernel:
    """values `<int8>[in, out]` and widest `<float32>[out]`, the largest number of each column, which 127 stands for."""

    values: Any
    widest: Any
    dtype = tf.int8

    def __getitem__(self, places):
        """Some of its columns, as of a matrix: `kernel[:, low:high]`."""
        return Int8Kernel(self.values[places], self.widest[places[1]])


def rounded(kernel):
    """Int8Kernel of a kernel `<float32>[in, out]`."""
    widest = tf.maximum(tf.reduce_max(tf.abs(kernel), axis=0), 1e-12)
    return Int8Kernel(tf.cast(tf.round(kernel * (_LARGEST / widest)), tf.int8), widest)


def dense(x, kernel, bias):
    """x · kernel + bias of x `<float32>[tokens, in]`, as `<float32>[tokens, out]`; inside a tf.function only."""
    scale = tf.maximum(tf.reduce_max(tf.abs(x), axis=1, keepdims=True), 1e-12) / _LARGEST
    rounded_tokens = tf.cast(tf.round(x / scale), tf.int8)
    return _product(rounded_tokens, kernel) * scale + bias


def _product(tokens, kernel):
    """`<int8>[tokens, in]` times the kernel, as `<float32>[tokens, out]`."""
    left, right = (tf.bitcast(each, tf.qint8) for each in (tokens, kernel.values))
    nothing = tf.zeros(tf.shape(kernel.widest))  # the bias comes after each token's scale, which oneDNN cannot take
    ranges = [tf.constant(-_LARGEST), tf.constant(_LARGEST), -kernel.widest, tf.identity(kernel.widest)]
    attributes = {
        "T1": _type(tf.qint8),
        "T2": _type(tf.qint8),
        "Tdevice_inputs": _types([tf.qint8, tf.qint8, tf.float32]),
        "Thost_inputs": _types([tf.float32] * 4),
        "Tdevice_outputs": _types([tf.float32]),
        "fused_ops": AttrValue(list=AttrValue.ListValue(s=[b"BiasAdd", b"Dequantize"])),
    }
    inputs, graph = [left, right, nothing, *ranges], tf.compat.v1.get_default_graph()
    return graph.create_op(_OP, inputs, [tf.float32], attrs=attributes, name="Int8MatMul").outputs[0]


def _type(dtype):
    return AttrValue(type=dtype.as_datatype_enum)


def _types(dtypes):
    return AttrValue(list=AttrValue.ListValue(type=[dtype.as_datatype_enum for dtype in dtypes]))
