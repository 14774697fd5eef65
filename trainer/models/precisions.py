"""The weights of an encoder in fewer bits: what its dense products are computed in.

Layer norms, softmax, dropout, pooling and the head stay in float32, and so does what passes from layer to layer.
"""

import dataclasses

import tensorflow as tf

from trainer.models import int8

_KERNELS = ("projection", "attended", "widening", "narrowing")


def in_precision(weights, precision):
    """EncoderWeights whose dense products are in float32 (as they are given), bfloat16 or int8."""
    if precision == "float32":
        return weights
    hold = {"bfloat16": in_bfloat16, "int8": int8.rounded}[precision]
    layers = [
        dataclasses.replace(layer, **{name: hold(getattr(layer, name)) for name in _KERNELS})
        for layer in weights.layers
    ]
    return dataclasses.replace(weights, layers=layers)


def in_bfloat16(value):
    """A tensor in bfloat16."""
    return tf.cast(value, tf.bfloat16)


def dense(x, kernel, bias):
    """x · kernel + bias of x `<float>[tokens, in]`, as `<float>[tokens, out]` in what the kernel computes in."""
    if kernel.dtype == tf.int8:
        return int8.dense(tf.cast(x, tf.float32), kernel, bias)
    return tf.nn.bias_add(tf.matmul(tf.cast(x, kernel.dtype), kernel), tf.cast(bias, kernel.dtype))


@tf.custom_gradient
def trained_dense(x, kernel, bias):
    """The same with a gradient for the bias that costs a product instead of a slow sum over tokens."""
    inner = tf.cast(x, kernel.dtype)

    def gradient(upstream):
        ones = tf.ones([1, tf.shape(upstream)[0]], upstream.dtype)
        down = tf.matmul(upstream, kernel, transpose_b=True)
        own = tf.matmul(inner, upstream, transpose_a=True)
        return tf.cast(down, x.dtype), own, tf.cast(tf.matmul(ones, upstream)[0], bias.dtype)

    return dense(inner, kernel, bias), gradient
