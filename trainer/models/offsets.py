"""Where the tokens of a text lie in it, as TensorFlow ops: the ids of WordPiece itself, and the characters of each.

Offsets are Unicode code points of the text as the client sent it, indices of a Python str, ends exclusive. Of bytes
that are not UTF-8 they are those of `bytes.decode("utf-8", "ignore")`, which is the text that the tokenizer reads.

WordPiece normalizes every character by itself, whatever stands beside it, and moves none past another. So the n-th
byte of all words of a text belongs to the character that, as a text of its own, brings the n-th byte, and no byte needs
to be followed through the normalization. The one exception moves nothing either: NFD may change the order of marks on
one letter (those that `\\p{Mn}` does not drop, as in Balinese or in musical notation); here they keep that of the text.
"""

from typing import NamedTuple

import tensorflow as tf

# What extends the character before it and leaves no byte: marks, joiners, the tags of a flag (Unicode annex 29).
_EXTENDS = r"[\p{M}\x{200C}\x{200D}\x{E0020}-\x{E007F}]"


class TokenOffsets(NamedTuple):
    """Tokens of a batch of texts, without special tokens, and where they lie.

    ids, start, end: `<int32>[batch, (tokens)]`. `end` includes the marks on the last character, also those that the
        tokenizer drops. Pieces of one character (jamo of a Hangul syllable) share it.
    word: `<int32>[batch, (tokens)]`, place of the word that the token is a piece of; words end at white space, and
        punctuation and ideographs are words of their own.
    characters: `<int32>[batch, (characters)]`, code points of the text that `start` and `end` count.
    """

    ids: tf.RaggedTensor
    start: tf.RaggedTensor
    end: tf.RaggedTensor
    word: tf.RaggedTensor
    characters: tf.RaggedTensor

    def head(self, most):
        """The first `most` tokens of each text."""
        return TokenOffsets(*(each[:, :most] for each in self[:-1]), self.characters)


def tokenize_with_offsets(wordpiece, text):
    """`<string>[batch]` to TokenOffsets by a `trainer.models.wordpiece.WordPiece`."""
    words = wordpiece.words(text)
    ids, first = wordpiece.pieces(words)
    characters = tf.strings.unicode_decode(text, "UTF-8", errors="ignore")
    spelt, extends = _each_character(wordpiece, characters.flat_values)
    place = tf.ragged.range(characters.row_lengths()).flat_values
    opening, closing = _characters_of(_first_bytes(words, first), spelt)
    starts, ends = tf.gather(place, opening), tf.gather(_extended_ends(place, extends), closing)
    number = tf.gather(tf.ragged.range(words.row_lengths()).flat_values, first.values.value_rowids())
    tokens = ids.merge_dims(1, 2)
    rows = [tokens.with_flat_values(tf.cast(each, tf.int32)) for each in (tokens.flat_values, starts, ends, number)]
    return TokenOffsets(*rows, characters)


def _each_character(wordpiece, characters):
    """Of code points `<int32>[n]`: bytes that each brings to the words, and whether it extends the one before.

    Only those that differ are tokenized, a few hundred in a batch of any size.
    """
    distinct, place = tf.unique(characters)
    texts = tf.strings.unicode_encode(distinct[:, tf.newaxis], "UTF-8")
    spelt = tf.reduce_sum(tf.strings.length(wordpiece.words(texts)), axis=1)
    extends = (spelt == 0) & tf.strings.regex_full_match(texts, _EXTENDS)
    return tf.gather(spelt, place), tf.gather(extends, place)


def _first_bytes(words, first):
    """First byte of each piece, `<int64>[pieces]`, and behind the last one their number, over all words of a batch."""
    ends = tf.cumsum(tf.cast(tf.strings.length(words.flat_values), tf.int64))
    before = tf.concat([[0], ends], 0)
    starts = tf.gather(before, first.values.value_rowids()) + tf.cast(first.flat_values, tf.int64)
    return tf.concat([starts, before[-1:]], 0)


def _characters_of(bounds, spelt):
    """First and last character of each piece, `<int>[pieces]`, of the bytes of pieces and characters."""
    ends = tf.cumsum(tf.cast(spelt, tf.int64))
    return tf.searchsorted(ends, bounds[:-1], side="right"), tf.searchsorted(ends, bounds[1:] - 1, side="right")


def _extended_ends(place, extends):
    """End of each character with all that extends it, `<int>[characters]`; the first of a text extends none."""
    cluster = tf.cumsum(tf.cast(~extends | (place == 0), tf.int32)) - 1
    return tf.gather(tf.math.segment_max(place + 1, cluster), cluster)
