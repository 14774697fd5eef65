"""How well texts are found by their vectors: recall, mean reciprocal rank, discounted gain; one right answer each."""

import numpy as np

_CHUNK = 1024  # queries that are compared at once
_DEEP = 10


def figures(queries, answers, numbers):
    """{metric: float} of unit vectors `<float32>[rows, hidden]`, each query against all different answers.

    numbers: `<int>[rows]`, which answer each row has; equal ones are one. An answer as near as the right one counts as
    nearer. Source of the gain: nDCG with a gain of 1, https://doi.org/10.1145/582415.582418.
    """
    ranks = ranks_of(queries, answers, numbers)
    found = ranks <= _DEEP
    return {
        "recall_at_1": float(np.mean(ranks == 1)),
        f"recall_at_{_DEEP}": float(np.mean(found)),
        f"mrr_at_{_DEEP}": float(np.mean(found / ranks)),
        f"ndcg_at_{_DEEP}": float(np.mean(found / np.log2(1 + ranks))),
    }


def ranks_of(queries, answers, numbers):
    """`<int>[rows]`: the place of each query's own answer among all different ones, the nearest being 1."""
    _, first, own = np.unique(numbers, return_index=True, return_inverse=True)
    return np.concatenate([_ranks(each, answers[first], place) for each, place in _chunks(queries, own)])


def nearest(queries, answers):
    """`<int>[queries]`: the answer whose unit vector is nearest to each."""
    return np.concatenate([(each @ answers.T).argmax(axis=1) for each, _ in _chunks(queries, queries)])


def nearest_others(vectors):
    """`<int>[rows]`: of each vector the nearest one that is not itself."""
    found = []
    for each, place in _chunks(vectors, np.arange(len(vectors))):
        cosine = each @ vectors.T
        cosine[np.arange(len(place)), place] = -np.inf
        found.append(cosine.argmax(axis=1))
    return np.concatenate(found)


def _ranks(queries, answers, own):
    cosine = queries @ answers.T
    right = cosine[np.arange(len(own)), own]
    return (cosine >= right[:, np.newaxis]).sum(axis=1)


def _chunks(*arrays):
    for start in range(0, len(arrays[0]), _CHUNK):
        yield tuple(each[start : start + _CHUNK] for each in arrays)
