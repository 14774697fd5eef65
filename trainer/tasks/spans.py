"""Entities of texts: spans of characters, BIO labels of tokens, and the way from each to the other.

A span is `(start, end, type)`, end exclusive. BIO label ids are 0 for O, 2k + 1 for B- and 2k + 2 for I- of the type
k. Training goes from spans to label ids in numpy; a served graph comes back from logits to spans in TensorFlow ops.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text


class Unmatched(NamedTuple):
    """Numbers of spans whose labels say something else: `cut` end within a token, all of which is labelled for them;
    `lost` hold no token, `overlapping` share one with a span that begins earlier or is longer: these two get no label.
    """

    cut: int
    lost: int
    overlapping: int


def bio_labels(types):
    """Names of the label ids of entity types: ("O", "B-first", "I-first", "B-second", …)."""
    return ("O", *(f"{prefix}-{each}" for each in types for prefix in "BI"))


def token_labels(spans, start, end, types):
    """(label ids `<int32>[tokens]`, Unmatched) of the spans of a text, whose tokens lie at `start` and `end`.

    start, end: `<int>[tokens]`, of trainer.models.offsets. A token that a span covers in part is the span's.
    Raises ValueError for a span that is empty or of no type of `types`.
    """
    ids, cut, lost, overlapping = np.zeros(len(start), np.int32), 0, 0, 0
    for opening, closing, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not 0 <= opening < closing or kind not in types:
            raise ValueError(f"span {(opening, closing, kind)} is empty, or not one of {', '.join(types)}")
        tokens = slice(np.searchsorted(end, opening, "right"), np.searchsorted(start, closing, "left"))
        if tokens.start >= tokens.stop:
            lost += 1
        elif ids[tokens].any():
            overlapping += 1
        else:
            cut += bool(start[tokens.start] < opening or end[tokens.stop - 1] > closing)
            ids[tokens] = 2 * types.index(kind) + 2
            ids[tokens.start] -= 1
    return ids, Unmatched(cut, lost, overlapping)


def best_labels(logits, lengths):
    """The likeliest label of each token by itself, `<int32>[batch, (tokens)]`; an I- may then follow an O.

    logits: `<float>[batch, tokens, labels]`, of special tokens none. lengths: `<int64>[batch]`, tokens of each text.
    """
    return tf.RaggedTensor.from_tensor(tf.argmax(logits, 2, tf.int32), lengths=lengths)


def legal_labels(logits, lengths):
    """The likeliest labels of each text in which I- only follows B- or I- of its type: Viterbi, in one C++ op."""
    state = np.arange(logits.shape[2] + 1)  # behind the labels stands the state before and after every text
    inside = (state > 0) & (state % 2 == 0) & (state < len(state) - 1)
    follows = (state[:, np.newaxis] == state) | (state[:, np.newaxis] == state - 1)
    found = tf_text.viterbi_constrained_sequence(
        tf.cast(logits, tf.float32),
        sequence_length=lengths,
        allowed_transitions=tf.constant(~inside | follows),
        use_log_space=True,
    )
    return found.with_flat_values(tf.ensure_shape(found.flat_values, [None]))  # in graphs the op tells no rank


def whole_words(labels, word):
    """Labels in which the first piece of a word speaks for all its pieces, `<int32>[batch, (tokens)]`.

    word: `<int32>[batch, (tokens)]`, place of the token's word in its text, of trainer.models.offsets.
    """
    leads = _first_of_rows(labels) | (word.flat_values != tf.roll(word.flat_values, 1, 0))
    number = tf.cumsum(tf.cast(leads, tf.int32)) - 1
    lead = tf.gather(tf.boolean_mask(labels.flat_values, leads), number)
    inner = tf.where(lead > 0, (lead + 1) // 2 * 2, 0)
    return labels.with_flat_values(tf.where(leads, lead, inner))


def serving_outputs(labels, logits, offsets, types):
    """The named outputs of entities, as TensorFlow ops: {name: `[batch, most]`}, padded, with `count <int32>[batch]`.

    An entity goes from a B-X, or an I-X that follows no X, over all I-X behind it (conlleval, seqeval's default).
    `score` is the mean probability of the labels of its tokens; `start` and `end` are the offsets of the text.

    Args:
        labels: `<int32>[batch, (tokens)]`. logits: `<float32>[batch, tokens, labels]`, of special tokens none.
        offsets: trainer.models.offsets.TokenOffsets of the same tokens. types: tuple of str.
    """
    opens, closes, kind = _bounds(labels)
    row = tf.boolean_mask(labels.value_rowids(), opens)
    start = tf.boolean_mask(offsets.start.flat_values, opens)
    end = tf.boolean_mask(offsets.end.flat_values, closes)
    count = tf.reduce_sum(labels.with_flat_values(tf.cast(opens, tf.int32)), axis=1)
    found = {
        "start": start,
        "end": end,
        "text": cut_out(offsets.characters, row, start, end),
        "label": tf.gather(tf.constant(types), tf.boolean_mask(kind, opens)),
        "score": _mean_probability(labels, logits, opens, kind >= 0),
    }
    padded = {name: tf.RaggedTensor.from_row_lengths(each, count).to_tensor() for name, each in found.items()}
    return padded | {"count": count}


def _first_of_rows(ragged):
    return tf.ragged.range(ragged.row_lengths()).flat_values == 0


def _bounds(labels):
    """Whether each token opens and closes an entity, `<bool>[tokens]`, and its type `<int32>[tokens]`, −1 for O."""
    label = labels.flat_values
    kind = (label + 1) // 2 - 1
    before = tf.where(_first_of_rows(labels), -1, tf.roll(kind, 1, 0))
    opens = (kind >= 0) & ((label % 2 == 1) | (before != kind))
    continues = (kind >= 0) & ~opens  # never the first of a text, so that rolling crosses no row
    return opens, (kind >= 0) & ~tf.roll(continues, -1, 0), kind


def _mean_probability(labels, logits, opens, inside):
    """`<float32>[entities]`, each the mean over its tokens of the probability of their labels."""
    probabilities = tf.RaggedTensor.from_tensor(tf.nn.softmax(logits), lengths=labels.row_lengths()).flat_values
    of_label = tf.gather(probabilities, labels.flat_values, batch_dims=1)
    number = tf.cumsum(tf.cast(opens, tf.int32)) - 1
    return tf.math.segment_mean(tf.boolean_mask(of_label, inside), tf.boolean_mask(number, inside))


def cut_out(characters, row, start, end):
    """Texts of the spans, `<string>[spans]`. tf.strings.substr would copy the whole text once for each of them."""
    before = tf.gather(characters.row_starts(), row)
    places = tf.ragged.range(before + tf.cast(start, tf.int64), before + tf.cast(end, tf.int64))
    return tf.strings.unicode_encode(tf.gather(characters.flat_values, places), "UTF-8")
