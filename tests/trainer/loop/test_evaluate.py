"""Logits come back in the order of the rows, every row once, whatever the batches."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.loop.evaluate import Evaluator


@pytest.fixture(scope="module")
def run(make_run, tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("evaluated"))


@pytest.fixture(scope="module")
def model(run):
    return run.task.build(run.encoder)


@pytest.fixture(scope="module")
def expected(run, model):
    """Logits of each row alone, unpadded."""
    rows = run.dev.tokens
    logits = []
    for i in range(len(rows)):
        ids = tf.constant(rows.padded(np.array([i]), int(rows.lengths[i]), 0))
        features = run.encoder.preprocessor.pack(ids, rows.lengths[i : i + 1], rows.first[i : i + 1])
        logits.append(model(features, training=False).numpy()[0])
    return np.stack(logits)


@pytest.mark.parametrize("distributed", [False, True])
@pytest.mark.parametrize(
    "kind, batch_size", [("pools", 4), ("buckets", 4), ("pools", 25), ("buckets", 64), ("pools", 64)]
)
def test_every_row_in_its_place(run, model, expected, kind, batch_size, distributed):
    seen = []
    logits = Evaluator(model, kind, batch_size, distributed).logits(run.dev, seen.append)
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert seen == [min(done, 25) for done in range(batch_size, 25 + batch_size, batch_size)]
