"""Widths that follow from the lengths alone, and over which no other list of as many pads less."""

import itertools

import numpy as np
import pytest

from trainer.inputs import batching
from trainer.inputs.buckets import MAX_SHAPES, bucket_widths


def places(lengths, widths):
    return np.asarray(widths)[np.searchsorted(widths, lengths)].sum()


def short_texts(rows=20_000, longest=128):
    """Phrases, most of them of a few words, as in sst2."""
    return np.clip(np.random.default_rng(3).lognormal(2.3, 0.75, rows).astype(np.int64), 3, longest)


def test_no_list_of_as_many_widths_pads_less():
    lengths = np.array([4] * 50 + [8] * 3 + [12] * 20 + [20] * 9 + [28] * 2 + [30] * 4)
    widths = bucket_widths(lengths, 40)
    others = itertools.combinations(range(4, 40, 4), len(widths) - 1)
    assert 3 <= len(widths) <= 8
    assert places(lengths, widths) == min(places(lengths, (*other, 40)) for other in others)


def test_phrases_pad_little_in_few_shapes():
    lengths = short_texts()
    widths = bucket_widths(lengths, 128)
    for epoch in range(2):
        batches = batching.bucketed(lengths, 32, 1, epoch, widths)
        assert batching.padding_share(lengths, batches) <= 0.2
    assert len(widths) <= MAX_SHAPES


def test_a_width_that_saves_next_to_nothing_is_not_compiled():
    assert bucket_widths(np.full(1000, 16), 16) == (16,)
    assert bucket_widths(np.append(np.full(1000, 64), 63), 64) == (64,)
    assert bucket_widths(np.repeat([16, 64], 1000), 64) == (16, 64)


def test_the_order_of_the_rows_changes_nothing():
    lengths = short_texts(1000)
    assert bucket_widths(lengths, 128) == bucket_widths(lengths[::-1], 128)


@pytest.mark.parametrize("rows", [[], [1], [5]])
def test_hardly_any_rows(rows):
    widths = bucket_widths(np.array(rows, np.int64), 5)
    assert widths[-1] == 5


def test_the_longest_input_is_always_a_width():
    """Rows of dev may be longer than any of training."""
    assert bucket_widths(np.full(100, 10), 128) == (12, 128)
