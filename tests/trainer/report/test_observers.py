"""What TensorBoard shows of vectors, and of several heads: each head's pictures under its name."""

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer.modes.test_seeing import tensors
from trainer.report.head_pictures import HeadPictures
from trainer.report.vector_pictures import VectorPictures

TEXTS, PAIRS = ["a film", "a meal", "a trip"], ["cinema", "kitchen", "journey"]


@pytest.fixture
def vectors():
    """`[3, 2, 2]`: the first two texts lie on their own, the third on the first one's."""
    found = np.array([[[1, 0], [1, 0]], [[0, 1], [0, 1]], [[1, 0], [-1, 0]]], np.float32)
    return found, np.array([[0], [1], [2]], np.int32)


def written(folder, observer, *evaluation):
    with tf.summary.create_file_writer(str(folder)).as_default():
        observer(7, *evaluation)
    return tensors(folder)[0]


def test_a_text_that_finds_another_one_is_named(tmp_path, vectors):
    found = written(tmp_path, VectorPictures(TEXTS, PAIRS), *vectors)
    (step, drawn), (_, told) = found["pictures/found"][0], found["worst_mistakes"][0]
    assert step == 7 and tf.io.decode_png(drawn[2]).shape[-1] == 3
    rows = told.item().decode().splitlines()[2:]
    assert len(rows) == 1 and "journey → cinema (-1.000)" in rows[0] and "a trip" in rows[0]
    assert "cosine/of_its_own" in found


def test_nothing_is_missed_where_all_are_found(tmp_path, vectors):
    found = written(tmp_path, VectorPictures(TEXTS[:2], PAIRS[:2]), *(each[:2] for each in vectors))
    assert found["worst_mistakes"][0][1].item() == b"None on dev."


def test_each_head_shows_its_own_rows_under_its_name(tmp_path):
    seen = {}

    def observer(name):
        def observe(step, logits, truth):
            seen[name] = step, logits, truth
            tf.summary.scalar("error", logits - truth, step=step)

        return observe

    def judged(logits, truth):
        for name in logits:
            if name in truth:
                yield name, None, logits[name], truth[name]

    heads = HeadPictures(judged, {name: observer(name) for name in ("mood", "near", "none")})
    found = written(tmp_path, heads, {"mood": 3.0, "near": 2.0, "none": 1.0}, {"mood": 1.0, "near": 5.0})
    assert seen == {"mood": (7, 3.0, 1.0), "near": (7, 2.0, 5.0)}
    assert {tag: float(values[0][1]) for tag, values in found.items()} == {"mood/error": 2.0, "near/error": -3.0}
