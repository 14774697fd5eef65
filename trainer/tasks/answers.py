"""Answers in their contexts: start and end logits of windows to the best span of each text, as TensorFlow ops.

A span is as good as the sum of its first token's start logit and its last token's end logit, in the window that finds
most in it; no answer is as good as that sum for [CLS] in the window that finds least in it. Source: the example
run_qa of transformers, which reads SQuAD 2.0 so.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

LOWEST = -1e9  # of logits of what cannot be: padding, a span that leaves its window


class Windowed(NamedTuple):
    """What stands in windows. text, first, at: `<int32>[windows]`: the text of each, its first token's place in it, and
    which of the text's tokens that is; size: `<int32>[windows]`, tokens of the text in it. counts: `<int64>[texts]`,
    tokens of each text.
    """

    text: tf.Tensor
    first: tf.Tensor
    at: tf.Tensor
    size: tf.Tensor
    counts: tf.Tensor


class Best(NamedTuple):
    """The best span of each text, all `[texts]`: its first and last token; its logit, LOWEST without a token; the next
    best span's logit; that of no answer; and the logarithm of the sum over all spans and no answer.
    """

    first: tf.Tensor
    last: tf.Tensor
    logit: tf.Tensor
    second: tf.Tensor
    nothing: tf.Tensor
    total: tf.Tensor


def best(logits, windows, longest):
    """Best of logits `<float32>[windows, length, 2]` of Windowed, over spans of 1 to `longest` tokens."""
    spans = span_logits(logits, windows, longest)
    row = tf.repeat(tf.range(tf.size(windows.counts)), windows.counts)
    nothing = tf.math.unsorted_segment_min(
        tf.reduce_sum(logits[:, 0, :], axis=1), windows.text, tf.size(windows.counts)
    )
    ranked, widths = tf.math.top_k(tf.pad(spans, [[0, 0], [0, 1]], constant_values=LOWEST), 2)
    of_text, next_of_text = (_table(ranked[:, place], windows.counts) for place in range(2))
    token, logit = tf.argmax(of_text, axis=1, output_type=tf.int32), tf.reduce_max(of_text, axis=1)
    chosen = tf.one_hot(token, tf.shape(of_text)[1], on_value=True, off_value=False)
    second = tf.reduce_max(tf.where(chosen, next_of_text, of_text), axis=1)
    width = tf.reduce_max(tf.where(chosen, _table(widths[:, 0], windows.counts, 0), 0), axis=1)
    peak = tf.maximum(logit, nothing)
    shares = tf.reduce_sum(tf.exp(spans - tf.gather(peak, row)[:, tf.newaxis]), axis=1)
    sums = tf.math.unsorted_segment_sum(shares, row, tf.size(windows.counts)) + tf.exp(nothing - peak)
    return Best(token, token + width, logit, second, nothing, peak + tf.math.log(sums))


def span_logits(logits, windows, longest):
    """`<float32>[tokens of texts, longest]`: how good the spans of 1 to `longest` tokens from each on are."""
    length, place = tf.shape(logits)[1], tf.range(tf.shape(logits)[1])
    behind = place - windows.first[:, tf.newaxis]  # the window's first token of the text
    inside = (behind >= 0) & (behind < windows.size[:, tf.newaxis])
    ends = tf.pad(tf.where(inside, logits[:, :, 1], LOWEST), [[0, 0], [0, longest - 1]], constant_values=LOWEST)
    window, place = tf.unstack(tf.cast(tf.where(inside), tf.int32), num=2, axis=1)
    reached = (window * (length + longest - 1) + place)[:, tf.newaxis] + tf.range(longest)
    sums = tf.boolean_mask(logits[:, :, 0], inside)[:, tf.newaxis] + tf.gather(tf.reshape(ends, [-1]), reached)
    before = tf.cast(tf.cumsum(windows.counts, exclusive=True), tf.int32)
    number = tf.gather(tf.gather(before, windows.text) + windows.at - windows.first, window) + place
    return tf.math.unsorted_segment_max(sums, number, tf.cast(tf.reduce_sum(windows.counts), tf.int32))


def _table(values, counts, default=LOWEST):
    """Values of the tokens of all texts as `[texts, most + 1]`; the last column is no token's."""
    table = tf.RaggedTensor.from_row_lengths(values, counts).to_tensor(default_value=tf.cast(default, values.dtype))
    return tf.pad(table, [[0, 0], [0, 1]], constant_values=tf.cast(default, values.dtype))


def token_bounds(answers, start, end):
    """(first token, token behind the last) of the first of [[start, text], …]; (0, 0) where none or no token is.

    start, end: `<int>[tokens]`, where the text's tokens lie. A token that the answer covers in part is the answer's.
    """
    if not answers:
        return 0, 0
    opening, text = answers[0]
    first, behind = np.searchsorted(end, opening, "right"), np.searchsorted(start, opening + len(text), "left")
    return (int(first), int(behind)) if first < behind else (0, 0)
