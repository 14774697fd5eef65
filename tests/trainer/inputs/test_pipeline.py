"""Datasets of the planned batches: whole, in order, the same again from any step on."""

import numpy as np
import pytest

from trainer.inputs.pipeline import Rows
from trainer.inputs.tokens import TokenIds
from trainer.models.preprocessor import SpecialTokens, TextPreprocessor

PAD, LONGEST = 9, 40


@pytest.fixture(scope="module")
def rows():
    """83 rows, each of which holds its own number as its only token, 2 to 40 times."""
    return numbered(83)


def numbered(count, **columns):
    lengths = np.random.default_rng(0).integers(2, LONGEST + 1, count)
    ids = np.repeat(np.arange(count, dtype=np.int32) + 100, lengths)
    tokens = TokenIds(
        ids, np.concatenate([[0], np.cumsum(lengths)]), lengths.astype(np.int32) // 2, np.zeros(count, bool)
    )
    features = ("token_ids", "segment_ids", "padding_mask")
    preprocess = TextPreprocessor(None, SpecialTokens(1, (2,), 2, PAD), LONGEST, features)
    given = {"targets": np.arange(count) % 5, "weights": np.linspace(0.5, 2.0, count, dtype=np.float32)} | columns
    return Rows(tokens, preprocess, **given)


def listed(dataset):
    return [tuple(part) for part in dataset.as_numpy_iterator()]


@pytest.mark.parametrize("kind", ["random", "pools", "buckets"])
def test_each_row_comes_once_an_epoch_with_its_own_columns(rows, kind):
    steps = len(rows.epoch(kind, 8, 1, 0))
    seen = []
    for features, target, weight in listed(rows.training(kind, 8, 1, steps)):
        numbers = features["token_ids"][:, 0] - 100
        real = weight > 0
        assert target.tolist() == (numbers % 5).tolist()
        np.testing.assert_array_equal(weight[real], rows.weights[numbers[real]])
        lengths = rows.tokens.lengths[numbers]
        np.testing.assert_array_equal(features["padding_mask"].sum(axis=1), lengths)
        np.testing.assert_array_equal(features["segment_ids"].sum(axis=1), lengths - lengths // 2)
        places = np.arange(features["token_ids"].shape[1]) < lengths[:, None]
        np.testing.assert_array_equal(features["token_ids"], np.where(places, numbers[:, None] + 100, PAD))
        seen += numbers[real].tolist()
    assert sorted(seen) == list(range(83))


def test_filled_rows_weigh_nothing_and_are_whole_texts(rows):
    filled = [batch for batch in listed(rows.training("buckets", 8, 1, 11)) if (batch[2] == 0).any()]
    ((features, target, weight),) = filled
    assert (weight == 0).tolist() == [False] * 3 + [True] * 5
    np.testing.assert_array_equal(features["token_ids"][3:], np.repeat(features["token_ids"][:1], 5, 0))
    assert (features["padding_mask"].sum(axis=1) > 0).all() and set(target[3:]) == {target[0]}


@pytest.mark.parametrize("kind", ["random", "pools", "buckets"])
def test_a_continued_run_gets_the_batches_that_are_left(rows, kind):
    steps = 3 * len(rows.epoch(kind, 8, 1, 0)) - 2  # ends inside the third epoch
    whole = listed(rows.training(kind, 8, 1, steps))
    assert len(whole) == steps
    for first in (1, 10, 11, 12, 25, steps - 1, steps):
        rest = rows.training(kind, 8, 1, steps, first)
        assert int(rest.cardinality()) == steps - first
        for a, b in zip(whole[first:], listed(rest), strict=True):
            np.testing.assert_array_equal(a[0]["token_ids"], b[0]["token_ids"])
            np.testing.assert_array_equal(a[2], b[2])


def test_epochs_and_seeds_have_orders_of_their_own(rows):
    def order(seed):
        return [batch[0]["token_ids"][:, 0].tolist() for batch in listed(rows.training("random", 8, seed, 22))]

    assert order(1) == order(1) != order(2)
    assert order(1)[:11] != order(1)[11:]


@pytest.mark.parametrize("kind, batch_size", [("random", 8), ("buckets", 8), ("random", 200), ("buckets", 200)])
def test_evaluation_gives_every_row_once_in_the_order_it_names(rows, kind, batch_size):
    dataset, order = rows.evaluation(kind, batch_size)
    numbers = np.concatenate([features["token_ids"][:, 0] for features, _, _ in listed(dataset)]) - 100
    assert numbers[: len(order)].tolist() == order.tolist()
    assert sorted(order) == list(range(83))
    assert len(numbers) == (83 if kind == "random" else -(-83 // batch_size) * batch_size)


@pytest.mark.parametrize("kind", ["random", "pools", "buckets"])
def test_the_plan_is_what_is_trained(rows, kind):
    steps = 2 * len(rows.epoch(kind, 8, 1, 0)) - 3
    for first in (0, 5, 15, steps):
        trained = [features["token_ids"].shape for features, _, _ in listed(rows.training(kind, 8, 1, steps, first))]
        assert [(batch.size, batch.width) for batch in rows.batches(kind, 8, 1, steps, first)] == trained


def test_rows_without_labels_or_weights():
    plain = numbered(5, targets=None, weights=None)
    ((_, target, weight),) = listed(plain.training("random", 8, 1, 1))
    assert target.tolist() == [0] * 5 and weight.tolist() == [1.0] * 5
