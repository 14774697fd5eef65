"""Rows some of whose words are masked: whole words, drawn anew in each epoch by (seed, epoch, row) and nothing else.

Source: BERT, https://arxiv.org/abs/1810.04805; whole words as in its later release, where all pieces of a word are
masked together. Of the masked tokens 80 % become the mask token, 10 % a random one, 10 % stay as they are.
"""

import dataclasses
import functools
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.inputs.batching import Batch
from trainer.inputs.pipeline import Rows
from trainer.inputs.segments import NO_PAIR

NO_ANSWER = -1  # behind the last masked token of a row
FIXED = (0, 1 << 31)  # the (seed, epoch) of rows that are evaluated: an epoch that no run reaches
_MASKED, _RANDOM = 0.8, 0.1


@dataclasses.dataclass(frozen=True)
class Masking:
    """Which tokens of a row are masked, and what stands in their place.

    tokens: trainer.models MaskTokens. share: of a row's tokens of text, as nearly as whole words allow; never more.
    """

    tokens: Any
    share: float

    def most(self, width):
        """Tokens that are masked at most in a row of `width` tokens."""
        return max(1, round(self.share * width))

    def mask(self, ids, key):
        """(ids with masks `<int32>[length]`, positions `<int64>[masked]`) of a row's ids.

        key: (seed, epoch, row); equal ones mask alike.
        """
        random = np.random.default_rng(key)
        positions = self._positions(ids, random)
        fate = random.random(len(positions))
        masked = ids.copy()
        masked[positions[fate < _MASKED]] = self.tokens.mask
        drawn = positions[(fate >= _MASKED) & (fate < _MASKED + _RANDOM)]
        masked[drawn] = random.choice(np.flatnonzero(self.tokens.text), len(drawn))
        return masked, positions

    def _positions(self, ids, random):
        text = self.tokens.text[ids]
        before = np.concatenate([[False], text[:-1]])
        opens = text & (self.tokens.begins[ids] | ~before)
        places = np.flatnonzero(text)
        word = np.cumsum(opens)[places] - 1
        sizes, left, chosen = np.bincount(word), self.most(len(places)), []
        for each in random.permutation(len(sizes)):
            if sizes[each] <= left:
                chosen.append(each)
                left -= sizes[each]
            if not left:
                break
        return places[np.isin(word, chosen)]


@dataclasses.dataclass(frozen=True)
class MaskedBatch(Batch):
    """draw: (seed, epoch), by which its rows are masked."""

    draw: tuple[int, int]


class MaskedRows(Rows):
    """One tokenized split; further features are `mask_positions` and `mask_ids`, both `<int32>[batch, masked]`.

    A row weighs as many tokens as are masked in it.

    Args:
        tokens, preprocess: see Rows. masking: Masking. segments: Segments that the rows are made of, and a further
            feature `segment_order`, `<int32>[batch]`; None for the rows as they are.
    """

    def __init__(self, tokens, preprocess, masking, segments=None):
        super().__init__(tokens, preprocess)
        self.masking, self.segments = masking, segments

    @functools.cached_property
    def lengths(self):
        return self.tokens.lengths if self.segments is None else self.segments.lengths()

    def epoch(self, kind, batch_size, seed, epoch):
        batches = super().epoch(kind, batch_size, seed, epoch)
        return [MaskedBatch(batch.rows, batch.width, batch.size, (seed, epoch)) for batch in batches]

    def _spec(self):
        masked = tf.TensorSpec([None, None], tf.int32)
        order = () if self.segments is None else (tf.TensorSpec([None], tf.int32),)
        return *super()._spec(), masked, masked, *order

    def _arrays(self, batch):
        ids, lengths, first, target, weight = super()._arrays(batch)
        draw, most = getattr(batch, "draw", FIXED), self.masking.most(batch.width)
        positions = np.zeros((batch.size, most), np.int32)
        answers = np.full((batch.size, most), NO_ANSWER, np.int32)
        order = np.full(batch.size, NO_PAIR, np.int32)
        for place, row in enumerate(batch.rows):
            if self.segments is not None:
                drawn, first[place], order[place] = self.segments.draw(row, (*draw, row))
                lengths[place] = len(drawn)
                ids[place, : len(drawn)], ids[place, len(drawn) :] = drawn, self.preprocess.special.pad
            own = slice(0, lengths[place])
            masked, chosen = self.masking.mask(ids[place, own], (*draw, row))
            positions[place, : len(chosen)], answers[place, : len(chosen)] = chosen, ids[place, chosen]
            ids[place, own] = masked
        further = (positions, answers) if self.segments is None else (positions, answers, order)
        return ids, lengths, first, target, weight * (answers >= 0).sum(axis=1), *further

    def _features(self, ids, lengths, first, target, weight, *further):
        features, target, weight = super()._features(ids, lengths, first, target, weight)
        names = ("mask_positions", "mask_ids", "segment_order")[: len(further)]
        return features | dict(zip(names, further, strict=True)), target, weight
