"""The one text-to-tensor layer: `inputs` maps it over the training rows, `export` bakes it into the SavedModel."""

import dataclasses
import hashlib
import json
from typing import NamedTuple

import tensorflow as tf

TEXT_BYTES = 1 << 20  # longer texts are cut here before tokenization, so that no text can stall a server


@dataclasses.dataclass(frozen=True)
class SpecialTokens:
    """Ids that frame a text: `start a end`, or `start a separator b end` for a pair."""

    start: int
    separator: tuple[int, ...]
    end: int
    pad: int


class Tokens(NamedTuple):
    """Token ids of a batch, special tokens included.

    ids: `<int32>[batch, (tokens)]`, ragged.
    first: `<int32>[batch]`, tokens of the first text with the special tokens that frame it.
    truncated: `<bool>[batch]`, whether anything of the text was left out.
    """

    ids: tf.RaggedTensor
    first: tf.Tensor
    truncated: tf.Tensor


class TextPreprocessor:
    """Text, or a pair of texts, to the encoder's inputs. The same graph ops run eagerly, in tf.data and in exports.

    Args:
        tokenizer: callable, `<string>[batch]` to ragged `<int32>[batch, (tokens)]`, with a `fingerprint`.
        special: SpecialTokens.
        sequence_length: int; longest result in tokens, special tokens included.
        features: names of the encoder's inputs: token_ids, padding_mask and maybe segment_ids.
    """

    def __init__(self, tokenizer, special, sequence_length, features):
        self.tokenizer = tokenizer
        self.special = special
        self.sequence_length = sequence_length
        self.features = frozenset(features)

    @property
    def fingerprint(self):
        """`sha256:…` of the vocabulary, its settings and the special tokens."""
        content = json.dumps([self.tokenizer.fingerprint, dataclasses.asdict(self.special)])
        return "sha256:" + hashlib.sha256(content.encode()).hexdigest()

    def __call__(self, text, text_pair=None):
        """`<string>[batch]`, one or two, to (`{feature: <int32>[batch, length]}`, truncated `<bool>[batch]`).

        `length` is that of the longest row of the batch.
        """
        tokens = self.tokenize(text, text_pair)
        ids = tokens.ids.to_tensor(default_value=self.special.pad)
        return self.pack(ids, tokens.ids.row_lengths(), tokens.first), tokens.truncated

    def tokenize(self, text, text_pair=None):
        """`<string>[batch]`, one or two, to Tokens of at most `sequence_length` ids each."""
        ids, cut = self._encode(text)
        if text_pair is None:
            budget = self.sequence_length - 2
            kept = ids[:, :budget]
            parts = [self._column(kept, [self.special.start]), kept, self._column(kept, [self.special.end])]
            framed = tf.concat(parts, axis=1)
            truncated = cut | (ids.row_lengths() > budget)
            return Tokens(framed, tf.cast(framed.row_lengths(), tf.int32), truncated)
        pair_ids, pair_cut = self._encode(text_pair)
        return self._tokenize_pair(ids, pair_ids, cut | pair_cut)

    def pack(self, ids, lengths, first):
        """Padded ids `<int32>[batch, length]`, lengths and first `<int>[batch]` to the encoder's inputs."""
        position = tf.range(tf.shape(ids)[1])[tf.newaxis, :]
        lengths = tf.cast(lengths, tf.int32)[:, tf.newaxis]
        in_text = position < lengths
        features = {"token_ids": ids, "padding_mask": tf.cast(in_text, tf.int32)}
        if "segment_ids" in self.features:
            second = in_text & (position >= tf.cast(first, tf.int32)[:, tf.newaxis])
            features["segment_ids"] = tf.cast(second, tf.int32)
        return features

    def _encode(self, text):
        cut = tf.strings.length(text) > TEXT_BYTES
        return self.tokenizer(tf.strings.substr(text, 0, TEXT_BYTES)), cut

    def _tokenize_pair(self, ids, pair_ids, cut):
        special = self.special
        budget = self.sequence_length - 2 - len(special.separator)
        keep, keep_pair = longest_first(ids.row_lengths(), pair_ids.row_lengths(), budget)
        truncated = cut | (keep + keep_pair < ids.row_lengths() + pair_ids.row_lengths())
        first = [self._column(ids, [special.start]), _head(ids, keep, budget), self._column(ids, special.separator)]
        second = [_head(pair_ids, keep_pair, budget), self._column(ids, [special.end])]
        # RoBERTa-style separators (</s></s>) close the first text with one mark and open the second with the other.
        first_length = 2 + keep if len(special.separator) == 1 else 1 + keep + len(special.separator)
        return Tokens(tf.concat(first + second, axis=1), tf.cast(first_length, tf.int32), truncated)

    def _column(self, ids, values):
        values = tf.constant([list(values)], tf.int32)
        return tf.RaggedTensor.from_tensor(tf.tile(values, [ids.nrows(), 1]))


def longest_first(length, pair_length, budget):
    """Tokens to keep of each text of a pair, `<int64>[batch]` twice: the longer text gives way first.

    Source: `truncate_encodings` of the reference tokenizers, strategy LongestFirst, in closed form.
    """
    shorter = tf.minimum(length, pair_length)
    fits = length + pair_length <= budget
    half = tf.cast(budget // 2, shorter.dtype)
    keep_longer = tf.maximum(shorter, budget - shorter)
    over = shorter + keep_longer > budget
    keep_shorter = tf.where(over, half, shorter)
    keep_longer = tf.where(over, budget - half, keep_longer)
    keep = tf.where(length > pair_length, keep_longer, keep_shorter)
    keep_pair = tf.where(length > pair_length, keep_shorter, keep_longer)
    return tf.where(fits, length, keep), tf.where(fits, pair_length, keep_pair)


def _head(ids, lengths, budget):
    dense = ids[:, :budget].to_tensor()
    return tf.RaggedTensor.from_tensor(dense, lengths=lengths)
