"""Rows that come beside another one of their label: each as often as asked, and the same on every continuation."""

import types

import numpy as np
import pytest

from trainer.inputs.shot_rows import ShotRows

TARGETS = np.array([0] * 7 + [1] * 4 + [2], np.int32)


class Tokens:
    lengths = np.arange(3, 15)

    def __len__(self):
        return len(TARGETS)


@pytest.fixture
def rows():
    return ShotRows(Tokens(), types.SimpleNamespace(sequence_length=32), TARGETS, None, passes=3)


@pytest.mark.parametrize("kind", ["random", "pools", "buckets"])
def test_each_row_comes_as_often_as_there_are_passes(rows, kind):
    batches = rows.epoch(kind, 5, 1, 0)
    assert len(batches) == -(-rows.taken // 5) and rows.taken == 36
    assert (np.bincount(np.concatenate([batch.rows for batch in batches])) == 3).all()
    for batch in batches:
        assert batch.width >= rows.lengths[batch.rows].max()
        assert batch.size == (5 if kind == "buckets" else len(batch.rows))


def test_rows_stand_beside_others_of_their_label(rows):
    order = np.concatenate([batch.rows for batch in rows.epoch("random", 12, 1, 0)])
    for start in range(0, 36, 12):
        labels = TARGETS[order[start : start + 12]]
        padded = np.concatenate([[-1], labels, [-1]])
        beside = (padded[:-2] == labels) | (padded[2:] == labels)
        assert beside[labels < 2].all() and len(set(order[start : start + 12])) == 12


def test_the_order_is_of_seed_and_epoch_alone(rows):
    def order(seed, epoch):
        return np.concatenate([batch.rows for batch in rows.epoch("random", 5, seed, epoch)]).tolist()

    assert order(1, 0) == order(1, 0) and order(1, 0) != order(1, 1) and order(1, 0) != order(2, 0)


def test_a_run_goes_on_where_it_stopped(rows):
    whole = [batch.rows.tolist() for batch in rows.batches("random", 5, 1, 16)]
    assert len(whole) == 16 and whole[11:] == [batch.rows.tolist() for batch in rows.batches("random", 5, 1, 16, 11)]
