"""The few static widths that rows are padded to where each shape is compiled: those that pad these very rows least."""

import numpy as np

MAX_SHAPES = 14
_STEP = 4  # tokens between two widths that may be chosen: finer ones save little, and matrix units like round numbers
_WORTH = 0.01  # share of all token places that one more width must save: it is one more program to compile


def bucket_widths(lengths, longest):
    """Widths up to `longest` tokens, rising, at most MAX_SHAPES, the last of them `longest` itself.

    Of all such lists it is the one over which these rows take the fewest token places, each row padded to the next
    width; found by dynamic programming over the lengths that occur. No random draw is in it.

    Args:
        lengths: `<int>[rows]`, tokens per row, none above `longest`.
    """
    edges, places = _places_between(np.asarray(lengths), longest)
    fewest = np.where(edges == 0, 0.0, np.inf)  # of the rows up to each edge, with the widths so far
    steps = []
    for _ in range(MAX_SHAPES):
        sums = fewest[:, np.newaxis] + places
        found = sums.min(axis=0)
        if found[-1] >= (1 - _WORTH) * fewest[-1]:
            break
        steps.append(sums.argmin(axis=0))
        fewest = found
    return _chosen(edges, steps)


def _places_between(lengths, longest):
    """(edges `<int>[n]`, places `<float>[n, n]`): 0 and all possible widths; what the rows between two edges take."""
    rounded = np.minimum(-(-lengths // _STEP) * _STEP, longest)
    edges = np.unique(np.concatenate([[0, longest], rounded]))
    rows_up_to = np.searchsorted(np.sort(rounded), edges, side="right")
    places = edges * (rows_up_to - rows_up_to[:, np.newaxis])
    return edges, np.where(edges > edges[:, np.newaxis], places, np.inf)


def _chosen(edges, steps):
    """The edges that lead to the last one, found backwards: `steps[k][j]` is the edge before edge j."""
    widths, at = [], len(edges) - 1
    for before in reversed(steps):
        widths.append(int(edges[at]))
        at = before[at]
    return tuple(reversed(widths))
