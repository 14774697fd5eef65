"""Dropout that draws two places from each random number: on a CPU the numbers are what dropout costs.

Source: https://jmlr.org/papers/v15/srivastava14a.html; the counter-based generator is TensorFlow's Philox.
"""

import tensorflow as tf

_LEVELS = 1 << 16  # a place is kept or not by 16 bits of its own


def dropout(x, rate, seed):
    """x `<float>[…]` with a share of its places 0 and the others scaled up, so that the mean stays.

    Args:
        rate: share of places to drop, in steps of 1/65,536; 0 returns x.
        seed: `<int>[2]`, which decides on the places.
    """
    dropped = round(rate * _LEVELS)
    if not dropped:
        return x
    scale = _LEVELS / (_LEVELS - dropped)  # of the share that is really kept

    @tf.custom_gradient
    def masked(x):
        size = tf.size(x)
        bits = tf.random.stateless_uniform([(size + 1) // 2], seed, None, None, tf.int32)
        places = tf.reshape(tf.reshape(tf.bitcast(bits, tf.uint16), [-1])[:size], tf.shape(x))
        kept = tf.cast(places >= tf.constant(dropped, tf.uint16), x.dtype)
        return x * kept * scale, lambda upstream: upstream * kept * scale

    return masked(x)
