"""The matrix products of our train step alone, forward and backward, in TensorFlow: the floor of the step.

The shapes are those of trainer/models/unpadded.py on full batches: query, key and value are one product, and the last
layer attends from the first tokens alone. Each product `[m, k] · [k, n]` has two more in the backward pass, the
gradients of both its factors, written with the transposes that TensorFlow's own gradients have.
"""

import argparse

from benchmarks.peers.answering import answer, timed
from benchmarks.peers.random_tokens import config_of


def products(config, batch, length):
    """[(how many matrices, m, k, n)] of the forward pass of an encoder by its config.json, pooler included."""
    hidden, inner, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    layers, tokens, width = config["num_hidden_layers"], batch * length, hidden // heads
    whole = [(1, tokens, hidden, 3 * hidden), *_attention(batch * heads, length, length, width)]
    whole += _after_attention(tokens, hidden, inner)
    last = [(1, tokens, hidden, 2 * hidden), (1, batch, hidden, hidden)]
    last += [*_attention(batch * heads, 1, length, width), *_after_attention(batch, hidden, inner)]
    return whole * (layers - 1) + last + [(1, batch, hidden, hidden)]


def _attention(matrices, queries, keys, width):
    return [(matrices, queries, width, keys), (matrices, queries, keys, width)]


def _after_attention(rows, hidden, inner):
    return [(1, rows, hidden, hidden), (1, rows, hidden, inner), (1, rows, inner, hidden)]


def prepare(encoder, precision):
    """Request {batch, length, steps} to {seconds, flops}."""
    from trainer import allocator

    allocator.keep_memory()  # as the step has it

    import tensorflow as tf

    dtype = tf.dtypes.as_dtype(precision)

    def reply_to(request):
        shapes = products(config_of(encoder), request["batch"], request["length"])
        factors = [_factors(tf, dtype, shape) for shape in shapes]
        # a number of each product: held whole, all of them together would take memory that no step takes
        multiply = tf.function(
            lambda: [tf.reshape(each, [-1])[0] for given in factors for each in _three(tf, *given)], autograph=False
        )
        seconds = timed(lambda: multiply()[-1].numpy(), request["steps"], warm_up=1)
        return {"seconds": seconds, "flops": 6 * sum(b * m * k * n for b, m, k, n in shapes)}

    return reply_to


def _factors(tf, dtype, shape):
    """Variables of x `[m, k]`, w `[k, n]` and the gradient of their product `[m, n]`, `matrices` of each."""
    matrices, m, k, n = shape
    many = [matrices] if matrices > 1 else []
    return [tf.Variable(tf.cast(tf.random.normal([*many, *each]), dtype)) for each in ((m, k), (k, n), (m, n))]


def _three(tf, x, w, upstream):
    """The product and the gradients of both factors."""
    yield tf.matmul(x, w)
    yield tf.matmul(upstream, w, transpose_b=True)
    yield tf.matmul(x, upstream, transpose_a=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), required=True)
    given = parser.parse_args()
    answer(lambda: prepare(given.encoder, given.precision), ["tensorflow"])
