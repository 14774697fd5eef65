"""Heads that are fitted: the loss of pairs against its formula, the head against scikit-learn's own answers."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import LogisticRegression

from trainer.config import ModelConfig
from trainer.tasks.embedding_losses import SCALE
from trainer.tasks.few_shot import FewShot
from trainer.tasks.losses import PairCosine
from trainer.tasks.zero_shot import ZeroShot


def unit_vectors(rows, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(rows, 4)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("weights", [None, [1.0, 0.0, 2.0, 0.5, 1.0]])
def test_the_loss_of_pairs(weights):
    ids, vectors, parts = [0, 1, 0, 1, 0], unit_vectors(5).astype(np.float64), {True: [], False: []}
    counts = np.ones(5) if weights is None else weights
    for one in range(5):
        for other in range(one):
            same = ids[one] == ids[other]
            parts[same].append(((vectors[one] @ vectors[other] - same) ** 2, counts[one] * counts[other]))
    means = [np.average([square for square, _ in own], weights=[count for _, count in own]) for own in parts.values()]
    given = PairCosine()(np.int32(ids), np.float32(vectors), None if weights is None else np.float32(weights))
    np.testing.assert_allclose(given, np.mean(means), rtol=1e-5)


@pytest.mark.parametrize("ids", [[0], [0, 0], [0, 1]])
def test_a_batch_without_pairs_of_a_kind_has_a_gradient(ids):
    vectors = tf.Variable(unit_vectors(len(ids)))
    with tf.GradientTape() as tape:
        loss = PairCosine()(np.int32(ids), vectors)
    assert np.isfinite(loss) and np.isfinite(tape.gradient(loss, vectors)).all()


@pytest.mark.parametrize(
    "labels, weights", [(2, None), (3, None), (3, np.float32([1, 5, 0.2])), (2, np.float32([1, 9]))]
)
def test_the_head_answers_as_scikit_learn(labels, weights):
    vectors, targets = unit_vectors(40), np.arange(40) % labels
    task = FewShot([f"label {n}" for n in range(labels)], False, ModelConfig(), weights)
    kernel, bias = task.head_of(vectors, targets)
    rows = None if weights is None else weights[targets]
    expected = LogisticRegression(max_iter=1000).fit(vectors, targets, rows).predict_proba(unit_vectors(9, 1))
    given = tf.nn.softmax(unit_vectors(9, 1) @ kernel + bias)
    np.testing.assert_allclose(given, expected, atol=1e-5)


def test_the_head_of_descriptions_is_their_mean_direction():
    vectors, targets = unit_vectors(5), np.array([0, 1, 1, 0, 1])
    kernel, bias = ZeroShot(("a", "b"), False, ModelConfig()).head_of(vectors, targets)
    for label in (0, 1):
        total = vectors[targets == label].sum(axis=0)
        np.testing.assert_allclose(kernel[:, label], SCALE * total / np.linalg.norm(total), rtol=1e-5)
    assert not bias.any()
