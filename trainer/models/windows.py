"""Long texts in windows that overlap: as TensorFlow ops, alike in tf.data and in exports.

A text of more tokens than the encoder takes is read in windows of equal length, the last one moved back so that it is
full. Each token is answered once, by the window in which it stands furthest from an edge: its own.
"""

from typing import NamedTuple

import tensorflow as tf

from trainer.models.offsets import TokenOffsets, tokenize_with_offsets
from trainer.models.preprocessor import TEXT_BYTES


class Windows(NamedTuple):
    """Windows of a batch of texts, in the order of the texts.

    ids: `<int32>[windows, (tokens)]`, special tokens included. text: `<int32>[windows]`, the text of each.
    begin, end: `<int32>[windows]`, where in `ids` its own tokens stand; all of them together are the texts' tokens in
    their order. truncated: `<bool>[texts]`, whether anything of the text is in no window.
    offsets: TokenOffsets of the tokens that are in a window, without special tokens.
    """

    ids: tf.RaggedTensor
    text: tf.Tensor
    begin: tf.Tensor
    end: tf.Tensor
    truncated: tf.Tensor
    offsets: TokenOffsets


class WindowPreprocessor:
    """Texts to the encoder's inputs, one row for each window.

    Args:
        preprocessor: TextPreprocessor of a WordPiece tokenizer; its sequence_length is that of a window.
        overlap: int; tokens that two neighbours share, fewer than a window has.
        most: int; windows of a text that are read.

    Raises:
        ValueError: a tokenizer that tells no offsets.
    """

    def __init__(self, preprocessor, overlap, most):
        if not hasattr(preprocessor.tokenizer, "pieces"):
            raise ValueError(f"{type(preprocessor.tokenizer).__name__} tells no offsets; WordPiece does")
        self.preprocessor, self.overlap, self.most = preprocessor, overlap, most

    def __call__(self, text):
        """`<string>[batch]` to (`{feature: <int32>[windows, length]}`, Windows)."""
        windows = self.tokenize(text)
        ids = windows.ids.to_tensor(default_value=self.preprocessor.special.pad)
        lengths = windows.ids.row_lengths()
        return self.preprocessor.pack(ids, lengths, lengths), windows

    def tokenize(self, text):
        """`<string>[batch]` to Windows."""
        special, budget = self.preprocessor.special, self.preprocessor.sequence_length - 2
        offsets = tokenize_with_offsets(self.preprocessor.tokenizer, tf.strings.substr(text, 0, TEXT_BYTES))
        lengths = tf.cast(offsets.ids.row_lengths(), tf.int32)
        text_of, start, stop, begin, end, read = cut(lengths, budget, self.overlap, self.most)
        before = tf.gather(tf.cast(offsets.ids.row_starts(), tf.int32), text_of)
        ids = tf.gather(offsets.ids.flat_values, tf.ragged.range(before + start, before + stop))
        edge = tf.ones([tf.size(text_of), 1], tf.int32)
        framed = tf.concat([special.start * edge, ids.with_row_splits_dtype(tf.int64), special.end * edge], axis=1)
        truncated = (tf.strings.length(text) > TEXT_BYTES) | (read < lengths)
        return Windows(framed, text_of, 1 + begin - start, 1 + end - start, truncated, _head(offsets, read))


def cut(lengths, budget, overlap, most):
    """Windows of texts of `<int32>[texts]` tokens: text, start, stop, begin, end `<int32>[windows]`; read `[texts]`.

    A window goes from token `start` to before `stop`; `begin` to before `end` are its own tokens. `read`: tokens of
    each text that are in any of its windows, of which there are `most` at most and 1 at least.
    """
    step = budget - overlap
    count = tf.clip_by_value(1 - (budget - lengths) // step, 1, most)
    read = tf.minimum(lengths, budget + (count - 1) * step)
    number = tf.ragged.range(count)
    text, number = tf.cast(number.value_rowids(), tf.int32), number.flat_values
    start = tf.minimum(number * step, tf.gather(tf.maximum(read - budget, 0), text))
    stop = tf.minimum(start + budget, tf.gather(read, text))
    begin = tf.where(number == 0, 0, (start + tf.roll(stop, 1, 0)) // 2)
    is_last = number == tf.gather(count, text) - 1
    end = tf.where(is_last, stop, tf.roll(begin, -1, 0))
    return text, start, stop, begin, end, read


def own_tokens(values, begin, end, lengths):
    """The rows of values `<float>[windows, length, width]` of each window's own tokens, one text after the other.

    begin, end: `<int32>[windows]`. lengths: `<int64>[texts]`, tokens of each text. Returns `<float>[texts, most,
    width]`, 0 behind the last token.
    """
    place = tf.range(tf.shape(values)[1])[tf.newaxis, :]
    own = (place >= begin[:, tf.newaxis]) & (place < end[:, tf.newaxis])
    flat = tf.boolean_mask(values, own)
    return tf.RaggedTensor.from_row_lengths(flat, lengths).to_tensor(shape=[None, None, values.shape[-1]])


def _head(offsets, read):
    """The first `read` `<int32>[texts]` tokens of each text."""
    kept = tf.ragged.range(tf.cast(offsets.ids.row_lengths(), tf.int32)) < read[:, tf.newaxis]
    return TokenOffsets(*(tf.ragged.boolean_mask(each, kept) for each in offsets[:-1]), offsets.characters)
