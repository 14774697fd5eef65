"""Long texts in windows that overlap: as TensorFlow ops, alike in tf.data and in exports.

A text of more tokens than the encoder takes is read in windows of equal length, the last one moved back so that it is
full. Each token is answered once, by the window in which it stands furthest from an edge: its own. Of pairs the second
text is read so, and the first one, a question, stands in front of each of its windows.
"""

from typing import NamedTuple

import tensorflow as tf

from trainer.models.offsets import TokenOffsets, tokenize_with_offsets
from trainer.models.preprocessor import TEXT_BYTES


class Windows(NamedTuple):
    """Windows of a batch of texts, in the order of the texts.

    ids: `<int32>[windows, (tokens)]`, special tokens included. first: `<int32>[windows]`, those in front of the second
    text, of single texts all. text: `<int32>[windows]`, the text of each. start: `<int32>[windows]`, which of the
    text's tokens is the window's first. begin, end: `<int32>[windows]`, where in `ids` its own tokens stand; all of
    them together are the texts' tokens in their order. truncated: `<bool>[texts]`, whether anything of the text, or of
    its question, is in no window. offsets: TokenOffsets of the tokens that are in a window, without special tokens.
    """

    ids: tf.RaggedTensor
    first: tf.Tensor
    text: tf.Tensor
    start: tf.Tensor
    begin: tf.Tensor
    end: tf.Tensor
    truncated: tf.Tensor
    offsets: TokenOffsets


class WindowPreprocessor:
    """Texts, or questions and texts, to the encoder's inputs, one row for each window.

    Args:
        preprocessor: TextPreprocessor of a WordPiece tokenizer; its sequence_length is that of a window.
        overlap: int; tokens that two neighbours share, fewer than a window has of its text.
        most: int; windows of a text that are read.
        question_tokens: int; tokens of a question that are read.

    Raises:
        ValueError: a tokenizer that tells no offsets.
    """

    def __init__(self, preprocessor, overlap, most, question_tokens=0):
        if not hasattr(preprocessor.tokenizer, "pieces"):
            raise ValueError(f"{type(preprocessor.tokenizer).__name__} tells no offsets; WordPiece does")
        self.preprocessor, self.overlap, self.most = preprocessor, overlap, most
        self.question_tokens = question_tokens

    def __call__(self, *texts):
        """`<string>[batch]`, one or a question and its text, to (`{feature: <int32>[windows, length]}`, Windows)."""
        windows = self.tokenize(*texts)
        ids = windows.ids.to_tensor(default_value=self.preprocessor.special.pad)
        return self.preprocessor.pack(ids, windows.ids.row_lengths(), windows.first), windows

    def tokenize(self, *texts):
        """The same to Windows."""
        *question, text = texts
        front, cut_off = self._front(*question, rows=tf.size(text))
        offsets = tokenize_with_offsets(self.preprocessor.tokenizer, tf.strings.substr(text, 0, TEXT_BYTES))
        lengths = tf.cast(offsets.ids.row_lengths(), tf.int32)
        in_front = tf.cast(front.row_lengths(), tf.int32)
        budget = self.preprocessor.sequence_length - 1 - in_front
        text_of, start, stop, begin, end, read = cut(lengths, budget, self.overlap, self.most)
        before = tf.gather(tf.cast(offsets.ids.row_starts(), tf.int32), text_of)
        ids = tf.gather(offsets.ids.flat_values, tf.ragged.range(before + start, before + stop))
        close = tf.fill([tf.size(text_of), 1], self.preprocessor.special.end)
        framed = tf.concat([tf.gather(front, text_of), ids.with_row_splits_dtype(tf.int64), close], axis=1)
        place = tf.gather(in_front, text_of)
        first = place if question else tf.cast(framed.row_lengths(), tf.int32)
        truncated = cut_off | (tf.strings.length(text) > TEXT_BYTES) | (read < lengths)
        own = (place + begin - start, place + end - start)
        return Windows(framed, first, text_of, start, *own, truncated, _head(offsets, read))

    def _front(self, question=None, *, rows):
        """Ids before each text, `<int32>[texts, (tokens)]`, and whether its question was cut, `<bool>[texts]`."""
        special = self.preprocessor.special
        opening = tf.fill([rows, 1], special.start)
        if question is None:
            return tf.RaggedTensor.from_tensor(opening), tf.zeros([rows], tf.bool)
        ids = self.preprocessor.tokenizer(tf.strings.substr(question, 0, TEXT_BYTES))
        cut_off = (tf.strings.length(question) > TEXT_BYTES) | (ids.row_lengths() > self.question_tokens)
        closing = tf.tile(tf.constant([special.separator], tf.int32), [rows, 1])
        return tf.concat([opening, ids[:, : self.question_tokens], closing], axis=1), cut_off


def cut(lengths, budget, overlap, most):
    """Windows of texts of `<int32>[texts]` tokens: text, start, stop, begin, end `<int32>[windows]`; read `[texts]`.

    budget: `<int32>[texts]`, or one for all: tokens of its text that a window has.

    A window goes from token `start` to before `stop`; `begin` to before `end` are its own tokens. `read`: tokens of
    each text that are in any of its windows, of which there are `most` at most and 1 at least.
    """
    budget = tf.broadcast_to(tf.cast(budget, lengths.dtype), tf.shape(lengths))
    step = budget - overlap
    count = tf.clip_by_value(1 - (budget - lengths) // step, 1, most)
    read = tf.minimum(lengths, budget + (count - 1) * step)
    number = tf.ragged.range(count)
    text, number = tf.cast(number.value_rowids(), tf.int32), number.flat_values
    start = tf.minimum(number * tf.gather(step, text), tf.gather(tf.maximum(read - budget, 0), text))
    stop = tf.minimum(start + tf.gather(budget, text), tf.gather(read, text))
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
