"""The head that names masked tokens, and what it makes of the masked tokens of each text."""

import json

import keras
import keras_hub
import tensorflow as tf

from trainer.models import hugging_face


class MaskedTokens(keras.layers.Layer):
    """How well a head names the masked tokens of each text, `<float32>[batch, 3]`.

    The three: sum of their cross-entropies, how many are named right, how many there are. Only masked tokens go through
    the projection to the vocabulary.

    Args:
        head: keras_hub.layers.MaskedLMHead.
        any_shape: whether shapes may depend on the batch; else the places behind a text's last masked token are
            computed too, as compiled programs need it.
    """

    def __init__(self, head, any_shape, **kwargs):
        super().__init__(**kwargs)
        self.head, self.any_shape = head, any_shape

    def build(self, sequence_shape, positions_shape, answers_shape):
        self.head.build(sequence_shape, positions_shape)
        self.built = True

    def compute_output_shape(self, sequence_shape, positions_shape, answers_shape):
        return (sequence_shape[0], 3)

    def call(self, sequence, positions, answers):
        """sequence `<float>[batch, length, hidden]`; positions of masked tokens and their true ids (−1 behind the last
        one), both `<int32>[batch, masked]`."""
        if not self.any_shape:
            told = _told(self.head(sequence, positions), tf.maximum(answers, 0))
            return tf.reduce_sum(told * tf.cast(answers >= 0, tf.float32)[:, :, tf.newaxis], axis=1)
        places = tf.where(answers >= 0)
        rows, at = places[:, 0], tf.cast(tf.gather_nd(positions, places), tf.int64)
        vectors = tf.gather_nd(sequence, tf.stack([rows, at], axis=1))
        logits = self.head(vectors[tf.newaxis], tf.range(tf.shape(vectors)[0])[tf.newaxis])
        told = _told(logits[0], tf.gather_nd(answers, places))
        return tf.math.unsorted_segment_sum(told, rows, tf.shape(answers)[0])


class SegmentOrder(keras.layers.Layer):
    """How well it is told whether a text's second segment follows its first, `<float32>[batch, 3]`.

    The three: cross-entropy, whether it is right, and 1; all 0 for a text that is no two segments.
    """

    def build(self, pooled_shape, order_shape):
        draw = keras.initializers.TruncatedNormal(stddev=0.02)
        self.head = keras.layers.Dense(2, kernel_initializer=draw, name="order_logits", dtype="float32")
        self.head.build(pooled_shape)
        self.built = True

    def compute_output_shape(self, pooled_shape, order_shape):
        return (pooled_shape[0], 3)

    def call(self, pooled, order):
        """pooled `<float>[batch, hidden]`; order `<int32>[batch]`: 0 follows, 1 does not, −1 is no pair."""
        told = _told(self.head(pooled), tf.maximum(order, 0))
        return told * tf.cast(order >= 0, tf.float32)[:, tf.newaxis]


def _told(logits, ids):
    """Cross-entropy, whether it is right, and 1, of each token: `<float32>[…, 3]`."""
    logits = tf.cast(logits, tf.float32)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(ids, logits)
    right = tf.cast(tf.equal(tf.argmax(logits, axis=-1, output_type=tf.int32), ids), tf.float32)
    return tf.stack([losses, right, tf.ones_like(losses)], axis=-1)


def masked_head(encoder):
    """BERT's head for an Encoder, a MaskedLMHead that is not built yet; it is tied to the encoder's token embedding.

    Dense layer, GELU, layer norm, and the embedding's rows as the projection. Source: https://arxiv.org/abs/1810.04805
    """
    config = json.loads((encoder.folder / "config.json").read_text()) if encoder.folder else {}
    return keras_hub.layers.MaskedLMHead(
        token_embedding=encoder.backbone.token_embedding,
        intermediate_activation=hugging_face.activation_of(config),
        layer_norm_epsilon=config.get("layer_norm_eps", 1e-12),
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
        name="mlm_head",
    )
