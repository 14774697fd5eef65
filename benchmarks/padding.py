"""Which share of the token places of an epoch is padding, on each of the ways that batches are made and computed.

batch: places of the rectangles that the input path hands over. dense: places that embeddings, dense layers and norms
compute. attention: places of the padded groups that attention computes. An encoder over real tokens alone has real
tokens only in dense, whatever the batch; any other computes the rectangle of the batch throughout.
"""

import dataclasses

import numpy as np

from trainer.inputs import batching
from trainer.inputs.buckets import bucket_widths
from trainer.models.unpadded import layout


@dataclasses.dataclass(frozen=True)
class Places:
    """Token places of some batches, by where they are counted; tokens: those that are no padding."""

    tokens: int
    batch: int
    dense: int
    attention: int
    shapes: int

    def shares(self):
        """{"batch" | "dense" | "attention": share of its places that is padding}."""
        return {name: 1 - self.tokens / getattr(self, name) for name in ("batch", "dense", "attention")}


def over_real_tokens(lengths, batches):
    """Places of batches that trainer.models.unpadded computes, counted in its own layout of each."""
    dense = attention = 0
    for batch in batches:
        own = lengths[batch.rows]
        place = layout((np.arange(batch.width) < own[:, np.newaxis]).astype(np.int32))
        dense += int(place.rows.shape[0])
        attention += int(place.padded.shape[0])
    return Places(_tokens(lengths, batches), _rectangles(batches), dense, attention, len(_shapes(batches)))


def padded(lengths, batches):
    """Places of batches that are computed as the rectangles that they are."""
    whole = _rectangles(batches)
    return Places(_tokens(lengths, batches), whole, whole, whole, len(_shapes(batches)))


def ways(lengths, longest, batch_size, eval_batch_size, most_batches):
    """{way: Places} of an epoch over `<int>[rows]` lengths; of the first way the first `most_batches` batches."""
    random = batching.shuffled(lengths, batch_size, 1, 0)
    pools = batching.pooled(lengths, batch_size, 1, 0)
    widths = bucket_widths(lengths, longest)
    buckets = batching.bucketed(lengths, batch_size, 1, 0, widths)
    return {
        "CPU: random rows, real tokens alone": over_real_tokens(lengths, random[:most_batches]),
        "CPU: pools, encoders that need padding": padded(lengths, pools),
        "GPU, TPU: buckets": padded(lengths, buckets),
        "GPU, TPU: buckets, evaluation": padded(lengths, batching.ordered(lengths, eval_batch_size, widths)),
    }


def _tokens(lengths, batches):
    return int(sum(lengths[batch.rows].sum() for batch in batches))


def _rectangles(batches):
    return sum(batch.width * batch.size for batch in batches)


def _shapes(batches):
    return {(batch.size, batch.width) for batch in batches}
