"""Elementwise work of a training step that XLA fuses into one pass over memory on a CPU, its gradient too.

TensorFlow's plain ops pass over memory a dozen times for the same. XLA compiles for fixed shapes, so the first axis, as
long as a batch has tokens, is filled up to a multiple of 64 on the way in and cut again on the way out: a run compiles
one program for each multiple that it meets, a few dozen at most.
"""

import functools

import tensorflow as tf

_MULTIPLE = 64


@functools.cache  # one program for all layers, not one for each
def elementwise(function):
    """`function` of one tensor `<float>[tokens, …]`, element by element, in float32 within and in x's dtype outside."""

    def forward(x):
        return tf.cast(function(tf.cast(x, tf.float32)), x.dtype)

    def backward(x, upstream):
        wide = tf.cast(x, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(wide)
            y = function(wide)
        return tf.cast(tape.gradient(y, wide, tf.cast(upstream, tf.float32)), x.dtype)

    forward, backward = _compiled(forward), _compiled(backward)

    @tf.custom_gradient
    def fused(x):
        return forward(x), lambda upstream: backward(x, upstream)

    return fused


def filled(tokens):
    """The number of rows that a program computes for a batch of `tokens`; of the same number there is one program."""
    return tokens + -tokens % _MULTIPLE


def _compiled(function):
    program = tf.function(function, jit_compile=True, autograph=False)

    def run(*tensors):
        tokens = tf.shape(tensors[0])[0]
        fill = [[0, -tokens % _MULTIPLE], [0, 0]]
        return program(*(tf.pad(x, fill) for x in tensors))[:tokens]

    return run
