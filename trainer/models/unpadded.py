"""A BERT-like encoder over the real tokens of a batch alone, from the weights of its KerasHub backbone.

A padded batch of real texts is up to two thirds padding. Here its tokens lie one after the other, `[tokens, hidden]`:
embeddings, dense layers, layer norms and dropout see no padding; only attention pads, in groups of like length. Where
only the first token's vector is asked for, the last layer computes just that. Query, key and value are one product,
and the products are written so that oneDNN, on a CPU, takes bias and GELU into them.
Source: "effective transformer" (ByteDance, 2020) for the packing, https://arxiv.org/abs/2208.08124 for the groups.
"""

import dataclasses
import functools
import itertools
from typing import Any

import keras
import tensorflow as tf

from trainer.models import islands, precisions
from trainer.models.dropout import dropout
from trainer.models.encoder_weights import as_variables, bytes_of, weights_of

_MOST_CONSTANTS = 1 << 30  # bytes: a graph holds its constants, and no proto may pass 2 GB
_GROUPS = 4  # of attention in a batch: texts of like length share a padded tensor


@dataclasses.dataclass
class Layout:
    """Where the real tokens of a batch lie, once one after the other and once padded in groups for attention.

    starts: `<int32>[batch]`, each text's first token. rows, positions: `<int32>[tokens]`, of each token.
    padded: `<int32>[places]`, the token of each place in all groups, any one for padding; back: `<int32>[tokens]`,
    the place of each token. groups: (texts, length, mask `<float32>[texts, 1, 1, length]`) of each group, the mask 0
    for tokens and very low for padding. order: `<int32>[batch]`, the texts of the groups, one group after the other;
    inverse: `<int32>[batch]`, where each text is in it.
    """

    starts: Any
    rows: Any
    positions: Any
    padded: Any
    back: Any
    groups: list[tuple]
    order: Any
    inverse: Any


def layout(padding_mask):
    """Layout of `<int>[batch, length]`, 1 for tokens and 0 for the padding behind them."""
    lengths = tf.reduce_sum(tf.cast(padding_mask, tf.int32), axis=1)
    places = tf.cast(tf.where(padding_mask > 0), tf.int32)
    rows, positions = places[:, 0], places[:, 1]
    starts = tf.cumsum(lengths, exclusive=True)
    order = tf.argsort(lengths)
    inverse = tf.math.invert_permutation(order)
    cuts = [tf.size(lengths) * i // _GROUPS for i in range(_GROUPS + 1)]
    padded, groups, offsets, taken = [], [], [], 0
    for low, high in itertools.pairwise(cuts):
        texts = order[low:high]
        own = tf.gather(lengths, texts)
        longest = tf.maximum(tf.reduce_max(own), 1)  # of no texts at all: 1
        column = tf.range(longest)[tf.newaxis, :]
        real = column < own[:, tf.newaxis]
        padded.append(tf.reshape(tf.where(real, tf.gather(starts, texts)[:, tf.newaxis] + column, 0), [-1]))
        groups.append((high - low, longest, tf.where(real, 0.0, -1e9)[:, tf.newaxis, tf.newaxis, :]))
        offsets.append(taken + tf.range(high - low) * longest)
        taken += (high - low) * longest
    back = tf.gather(tf.gather(tf.concat(offsets, axis=0), inverse), rows) + positions
    return Layout(starts, rows, positions, tf.concat(padded, axis=0), back, groups, order, inverse)


class Unpadded(keras.layers.Layer):
    """The encoder's inputs to one vector per text, `<float32>[batch, hidden]`, or to one per token.

    Args:
        padded: keras.Model of the same vectors over padded tensors; its variables are the layer's.
        backbone: keras_hub Backbone in it that `encoder_weights.is_known`.
        pooling: "pooler", "first" or "mean", see trainer/models/pooling.py; "tokens" for all token vectors,
            `<float32>[batch, length, hidden]`, those of padding 0; a tuple of these for all of them.
        precision: "float32" or "bfloat16", of the dense products until `freeze`; the variables are float32 always.
        compiled: whether XLA compiles the elementwise islands of a training step, see trainer/models/islands.py.
    """

    def __init__(self, padded, backbone, pooling, precision="float32", compiled=False, **kwargs):
        super().__init__(**kwargs)
        self.padded, self.pooling, self.dropout = padded, pooling, backbone.dropout
        self.precision, self.compiled = precision, compiled
        self._current = functools.partial(weights_of, backbone)  # Keras would count the layers that are not used too
        self.seed_generator = keras.random.SeedGenerator()
        self._served = None

    def build(self, input_shape):
        self.built = True

    def compute_output_shape(self, input_shape):
        return self.padded.output_shape

    def freeze(self, precision="float32"):
        """Takes the weights as they are from here on, laid out once instead of at each call: for a server.

        precision: "float32", "bfloat16" or "int8", see trainer/models/precisions.py; int8 runs inside graphs only.
        """
        weights = precisions.in_precision(self._current(), precision)
        if precision != "float32":
            weights = dataclasses.replace(weights, tokens=precisions.in_bfloat16(weights.tokens))  # most of the bytes
        if precision == "bfloat16" and bytes_of(weights.layers) <= _MOST_CONSTANTS:
            # oneDNN lays constants out once, variables at each call. Not so in float32: there it wants another layout
            # for one text than for many, keeps the first that it is asked for, and is slower with the other.
            self._served = dataclasses.replace(weights, tokens=as_variables(weights.tokens))
        else:
            self._served = as_variables(weights)

    def call(self, features, training=False):
        weights = self._served or precisions.in_precision(self._current(), self.precision)
        drop = self._drop if training else _nothing
        first_only = self.pooling in ("pooler", "first")  # and then x is of the first tokens alone
        place = layout(features["padding_mask"])
        tokens = tf.gather_nd(features["token_ids"], tf.stack([place.rows, place.positions], axis=1))
        x = tf.cast(tf.gather(weights.tokens, tokens), tf.float32) + tf.gather(weights.positions, place.positions)
        if weights.segments is not None:
            segments = tf.gather_nd(features["segment_ids"], tf.stack([place.rows, place.positions], axis=1))
            x += tf.gather(weights.segments, segments)
        arithmetic = _Training(self.compiled) if training else _Inference()
        x = drop(arithmetic.norm(x, weights.norm))
        for number, layer in enumerate(weights.layers, start=1):
            last = first_only and number == len(weights.layers)
            x = _layer(x, layer, weights.heads, place, arithmetic, drop, last)
        if isinstance(self.pooling, tuple):
            return [self._pooled(how, x, place, features, weights, arithmetic) for how in self.pooling]
        return x if self.pooling == "first" else self._pooled(self.pooling, x, place, features, weights, arithmetic)

    def _pooled(self, how, x, place, features, weights, arithmetic):
        """Vectors of `<float32>[tokens, hidden]`; for the pooler alone, of the first tokens."""
        if how == "tokens":
            shape = tf.concat([tf.shape(features["token_ids"]), [x.shape[-1]]], axis=0)
            return tf.scatter_nd(tf.stack([place.rows, place.positions], axis=1), x, shape)
        if how == "mean":
            return tf.math.segment_mean(x, place.rows)
        first = tf.gather(x, place.starts) if isinstance(self.pooling, tuple) else x
        return tf.tanh(arithmetic.dense(first, *weights.pooler)) if how == "pooler" else first

    def _drop(self, x):
        return dropout(x, self.dropout, self.seed_generator.next())


def _nothing(x):
    return x


def _layer(x, weights, heads, place, arithmetic, drop, first_only):
    """One post-norm transformer layer over `<float32>[tokens, hidden]`; of the first tokens alone where asked."""
    hidden = x.shape[-1]
    if first_only:
        keys = arithmetic.dense(x, weights.projection[:, hidden:], weights.projection_bias[hidden:])
        x = tf.gather(x, place.starts)
        query = arithmetic.dense(x, weights.projection[:, :hidden], weights.projection_bias[:hidden])
        attended = _attend_first(query, arithmetic.pad(keys, place), heads, place, drop)
    else:
        projected = arithmetic.dense(x, weights.projection, weights.projection_bias)
        attended = arithmetic.unpad(_attend(arithmetic.pad(projected, place), heads, place, drop), place)
    told = tf.cast(arithmetic.dense(attended, weights.attended, weights.attended_bias), x.dtype)
    x = arithmetic.norm(x + drop(told), weights.attention_norm)
    wide = arithmetic.activate(arithmetic.dense(x, weights.widening, weights.widening_bias), weights.activation)
    told = tf.cast(arithmetic.dense(wide, weights.narrowing, weights.narrowing_bias), x.dtype)
    return arithmetic.norm(x + drop(told), weights.output_norm)


def _attend(padded, heads, place, drop):
    """Query, key and value `<float32>[places, 3 · hidden]` to what places attend to, `<float32>[places, hidden]`."""
    attended = []
    for (texts, length, mask), part in zip(place.groups, _by_group(padded, place), strict=True):
        split = tf.reshape(part, [texts, length, 3, heads, padded.shape[-1] // (3 * heads)])
        query, key, value = tf.unstack(tf.transpose(split, [2, 0, 3, 1, 4]), num=3)
        weights = _attention(query, key, mask, drop)
        context = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
        attended.append(tf.reshape(context, [texts * length, padded.shape[-1] // 3]))
    return tf.concat(attended, axis=0)


def _attend_first(query, padded, heads, place, drop):
    """The same for the first tokens alone: query `<float32>[batch, hidden]`, padded `<float32>[places, 2 · hidden]`."""
    attended, hidden = [], query.shape[-1]
    queries = tf.split(tf.gather(query, place.order), [texts for texts, _, _ in place.groups])
    for (texts, length, mask), own, part in zip(place.groups, queries, _by_group(padded, place), strict=True):
        split = tf.reshape(part, [texts, length, 2, heads, hidden // heads])
        key, value = tf.unstack(tf.transpose(split, [2, 0, 3, 1, 4]), num=2)
        own = tf.reshape(own, [texts, heads, 1, hidden // heads])
        weights = _attention(own, key, mask, drop)
        attended.append(tf.reshape(tf.matmul(weights, value), [texts, hidden]))
    return tf.gather(tf.concat(attended, axis=0), place.inverse)


def _attention(query, key, mask, drop):
    """Weights `<float>[texts, heads, queries, length]` in the arithmetic of the products, by a softmax in float32."""
    scores = tf.cast(tf.matmul(query, key, transpose_b=True), tf.float32) + mask
    return tf.cast(drop(tf.nn.softmax(scores)), key.dtype)


def _by_group(padded, place):
    return tf.split(padded, [texts * length for texts, length, _ in place.groups])


class _Inference:
    """The steps of a layer from TensorFlow's plain ops."""

    dense = staticmethod(precisions.dense)

    def activate(self, x, activation):
        return activation(x)

    def pad(self, x, place):
        return tf.gather(x, place.padded)

    def unpad(self, x, place):
        return tf.gather(x, place.back)

    def norm(self, x, weights):
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, weights.beta, weights.gamma, weights.epsilon)


class _Training(_Inference):
    """The same with gradients that cost less than those of the single ops."""

    dense = staticmethod(precisions.trained_dense)

    def __init__(self, compiled):
        self.compiled = compiled

    def activate(self, x, activation):
        return islands.elementwise(activation)(x) if self.compiled else activation(x)

    def pad(self, x, place):
        @tf.custom_gradient
        def pad(x):
            # no gradient reaches the places of padding: none of them is attended to, none attends to anything
            return tf.gather(x, place.padded), lambda upstream: tf.gather(upstream, place.back)

        return pad(x)

    def unpad(self, x, place):
        @tf.custom_gradient
        def unpad(x):
            def gradient(upstream):
                return tf.scatter_nd(place.back[:, tf.newaxis], upstream, tf.shape(x))

            return tf.gather(x, place.back), gradient

        return unpad(x)

    def norm(self, x, weights):
        @tf.custom_gradient
        def norm(x, gamma, beta):
            centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
            scale = tf.math.rsqrt(tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True) + weights.epsilon)
            normal = centred * scale

            def gradient(upstream):
                inner = upstream * gamma
                along = normal * tf.reduce_mean(inner * normal, axis=-1, keepdims=True)
                down = scale * (inner - tf.reduce_mean(inner, axis=-1, keepdims=True) - along)
                return down, tf.reduce_sum(upstream * normal, axis=0), tf.reduce_sum(upstream, axis=0)

            return normal * gamma + beta, gradient

        return norm(x, weights.gamma, weights.beta)
