"""Which rows make which batch: a pure function of (seed, epoch) and the rows' lengths, so that a run can continue."""

import dataclasses

import numpy as np

POOL_BATCHES = 100  # batches whose rows are sorted by length together


@dataclasses.dataclass(frozen=True)
class Batch:
    """rows: `<int64>[rows]`, indices into the split; width: tokens to pad to; size: rows to pad to, weight 0."""

    rows: np.ndarray
    width: int
    size: int


def shuffled(lengths, batch_size, seed, epoch):
    """Batches of random rows, the last one smaller: for models that compute over real tokens alone."""
    order = np.random.default_rng([seed, epoch]).permutation(len(lengths))
    batches = (order[i : i + batch_size] for i in range(0, len(order), batch_size))
    return [Batch(rows, int(lengths[rows].max()), len(rows)) for rows in batches]


def pooled(lengths, batch_size, seed, epoch):
    """Batches of one epoch, each padded to the exact maximum of its rows: for devices that take any shape.

    Rows are shuffled, cut into pools of 100 batches, sorted by length within each pool; then the batches of the whole
    epoch are shuffled. The last batch may be smaller. No batch is a fair sample: labels go with the length.

    Args:
        lengths: `<int>[rows]`, tokens per row.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), POOL_BATCHES * batch_size):
        pool = order[start : start + POOL_BATCHES * batch_size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    return [
        Batch(batches[i], int(lengths[batches[i]].max()), len(batches[i])) for i in random.permutation(len(batches))
    ]


def bucketed(lengths, batch_size, seed, epoch, widths):
    """Batches of one epoch in a static shape for each of `widths` (see buckets.py): for XLA on GPU and TPU.

    Rows are shuffled and dealt into buckets by length; what a bucket has left over goes up into the next wider one, so
    that every row is there once and only the widest bucket's last batch is filled up with rows of weight 0.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    batches, left = [], np.zeros(0, np.int64)
    for low, width in zip((0, *widths), widths, strict=False):
        own = order[(lengths[order] > low) & (lengths[order] <= width)]
        rows = np.concatenate([left, own])
        whole = len(rows) // batch_size * batch_size
        batches += [Batch(rows[i : i + batch_size], width, batch_size) for i in range(0, whole, batch_size)]
        left = rows[whole:]
    if len(left):
        batches.append(Batch(left, _width_for(lengths[left], widths), batch_size))
    return [batches[i] for i in random.permutation(len(batches))]


def ordered(lengths, batch_size, widths=None):
    """Batches for evaluation: longest rows first, each row once; static shapes where `widths` are given."""
    return in_order(np.argsort(-lengths, kind="stable"), lengths, batch_size, widths)


def in_order(order, lengths, batch_size, widths=None):
    """Batches of the rows `order`, as they come; static shapes where `widths` are given."""
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    if widths is None:
        return [Batch(rows, int(lengths[rows].max()), len(rows)) for rows in batches]
    return [Batch(rows, _width_for(lengths[rows], widths), batch_size) for rows in batches]


def _width_for(lengths, widths):
    return next(width for width in widths if width >= lengths.max())


def count(rows, batch_size):
    """Batches of one epoch, of every kind: all but one are full."""
    return -(-rows // batch_size)


def padding_share(lengths, batches):
    """Share of all token places that hold padding."""
    places = sum(batch.width * batch.size for batch in batches)
    return 1.0 - float(sum(lengths[batch.rows].sum() for batch in batches)) / max(1, places)
