"""Rows that are learned from their pairs: each comes with another one of its label."""

import numpy as np

from trainer.inputs import batching
from trainer.inputs.pipeline import Rows


class ShotRows(Rows):
    """Rows of one label each, of which an epoch takes each `passes` times, next to another one of its label.

    Args: those of Rows; passes: int.
    """

    def __init__(self, tokens, preprocess, targets, weights, passes):
        super().__init__(tokens, preprocess, targets, weights)
        self.passes = passes

    @property
    def taken(self):
        return self.passes * len(self)

    def epoch(self, kind, batch_size, seed, epoch):
        random = np.random.default_rng([seed, epoch])
        order = np.concatenate([_beside_each_other(self.targets, random) for _ in range(self.passes)])
        widths = self.widths if kind == "buckets" else None
        return batching.in_order(order, self.lengths, batch_size, widths)


def _beside_each_other(targets, random):
    """`<int64>[rows]`: all rows in random order, but two of one label always together; three where one is left."""
    groups = []
    for label in np.unique(targets):
        rows = random.permutation(np.flatnonzero(targets == label))
        groups += np.array_split(rows, max(1, len(rows) // 2))
    return np.concatenate([groups[place] for place in random.permutation(len(groups))])
