"""Every row once an epoch, in an order that (seed, epoch) alone decide, in few shapes where shapes cost."""

import collections

import numpy as np
import pytest

from trainer.inputs import batching
from trainer.inputs.buckets import MAX_SHAPES, bucket_widths

SIZES = [1, 2, 7, 8, 9, 64, 65, 1000]


def lengths_of(rows, seed=0, longest=128):
    """Token lengths as texts have them: many short, few long, some at the limit."""
    random = np.random.default_rng(seed)
    return np.clip(random.lognormal(3.0, 0.7, rows).astype(np.int64), 2, longest)


def rows_of(batches):
    return sorted(row for batch in batches for row in batch.rows.tolist())


@pytest.mark.parametrize("batch_size", [1, 3, 8])
@pytest.mark.parametrize("rows", SIZES)
def test_every_row_is_there_once(rows, batch_size):
    lengths = lengths_of(rows)
    for batches in (
        batching.shuffled(lengths, batch_size, 1, 0),
        batching.pooled(lengths, batch_size, 1, 0),
        batching.bucketed(lengths, batch_size, 1, 0, bucket_widths(lengths, 128)),
        batching.ordered(lengths, batch_size),
        batching.ordered(lengths, batch_size, bucket_widths(lengths, 128)),
    ):
        assert rows_of(batches) == list(range(rows))
        for batch in batches:
            assert 0 < len(batch.rows) <= batch.size <= batch_size and lengths[batch.rows].max() <= batch.width
        assert len(batches) == batching.count(rows, batch_size)


def test_no_rows_are_no_batches():
    nothing = np.zeros(0, np.int64)
    assert (
        batching.shuffled(nothing, 8, 1, 0)
        == batching.pooled(nothing, 8, 1, 0)
        == batching.bucketed(nothing, 8, 1, 0, (16,))
        == []
    )
    assert batching.ordered(nothing, 8) == batching.ordered(nothing, 8, (16,)) == []
    assert batching.padding_share(nothing, []) == 1.0


def test_pools_pad_to_the_exact_maximum_and_waste_little():
    lengths = lengths_of(20_000)
    batches = batching.pooled(lengths, 32, 1, 0)
    assert all(batch.width == lengths[batch.rows].max() and batch.size == len(batch.rows) for batch in batches)
    assert sum(batch.size < 32 for batch in batches) <= 1
    assert batching.padding_share(lengths, batches) < 0.05
    assert batching.padding_share(lengths, batching.shuffled(lengths, 32, 1, 0)) > 0.4


def test_only_random_rows_are_a_fair_sample():
    """Where labels go with the length, a batch of one length has labels of one kind."""
    lengths = lengths_of(20_000)
    long = lengths > np.median(lengths)
    fair = 0.25 / 32  # variance of the share of long rows in 32 random ones

    def variance(batches):
        return np.var([long[batch.rows].mean() for batch in batches])

    assert variance(batching.shuffled(lengths, 32, 1, 0)) == pytest.approx(fair, rel=0.2)
    assert variance(batching.pooled(lengths, 32, 1, 0)) > 20 * fair


@pytest.mark.parametrize("longest", [4, 16, 17, 100, 128, 512, 600, 4096])
def test_buckets_have_few_static_shapes(longest):
    lengths = lengths_of(3000, longest=longest)
    widths = bucket_widths(lengths, longest)
    batches = [batch for epoch in range(3) for batch in batching.bucketed(lengths, 8, 1, epoch, widths)]
    batches += batching.ordered(lengths, 8, widths)
    shapes = {(batch.size, batch.width) for batch in batches}
    assert len(shapes) <= MAX_SHAPES and {size for size, _ in shapes} == {8}
    assert max(width for _, width in shapes) <= longest
    assert widths[-1] == longest and list(widths) == sorted(set(widths)) and len(widths) <= MAX_SHAPES


def test_only_one_batch_of_an_epoch_is_filled_up():
    for rows in (8, 9, 100, 1001):
        batches = batching.bucketed(lengths_of(rows), 8, 1, 0, (16, 64, 128))
        assert sum(len(batch.rows) < batch.size for batch in batches) == bool(rows % 8)


@pytest.mark.parametrize(
    "make", [batching.shuffled, batching.pooled, lambda *given: batching.bucketed(*given, (16, 64, 128))]
)
def test_the_order_is_a_function_of_seed_and_epoch(make):
    lengths = lengths_of(500)

    def order(seed, epoch):
        return [batch.rows.tolist() for batch in make(lengths, 8, seed, epoch)]

    assert order(1, 0) == order(1, 0)
    assert len({str(order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}) == 4
    assert len(order(1, 0)) == len(order(1, 7))  # a step's epoch and place follow from its number
    assert [rows for rows in order(1, 0) if len(rows) == 8] != sorted(rows for rows in order(1, 0) if len(rows) == 8)


def test_rows_meet_other_rows_in_every_epoch():
    """Sorting by length must not make the same batches again and again."""
    lengths = np.full(640, 10)
    for make in (batching.shuffled, batching.pooled, lambda *given: batching.bucketed(*given, (16,))):
        first, second = ({frozenset(batch.rows.tolist()) for batch in make(lengths, 8, 1, epoch)} for epoch in (0, 1))
        assert len(first & second) == 0


def test_evaluation_begins_with_the_longest_rows():
    lengths = lengths_of(100)
    widths = [batch.width for batch in batching.ordered(lengths, 8)]
    assert widths == sorted(widths, reverse=True) and widths[0] == lengths.max()
    counted = collections.Counter(len(batch.rows) for batch in batching.ordered(lengths, 8, (16, 64, 128)))
    assert counted == {8: 12, 4: 1}
