"""The files of TensorBoard's Projector tab, whatever the texts hold."""

import numpy as np
from google.protobuf import text_format
from tensorboard.plugins.projector import ProjectorConfig

from trainer.report import projector


def test_one_line_per_text_and_no_cell_more():
    texts = ["a\tb", "c\r\nd\u2028e", "", 'quote " and \x00', "x" * 500, "\ud800"]
    vectors = np.arange(12, dtype=np.float32).reshape(6, 2) / 7
    found = projector.files(vectors, texts, ["p"] * 6, ["p", "n"] * 3)
    assert list(found)[-1] == projector.CONFIG
    config = text_format.Parse(found[projector.CONFIG], ProjectorConfig())
    (embedding,) = config.embeddings
    read = [list(map(float, line.split("\t"))) for line in found[embedding.tensor_path].splitlines()]
    np.testing.assert_allclose(read, vectors, rtol=1e-4)
    header, *rows = [line.split("\t") for line in found[embedding.metadata_path].splitlines()]
    assert header == ["text", "label", "predicted", "correct"] and len(rows) == 6
    assert all(len(row) == 4 and row[0] for row in rows)
    assert [row[0] for row in rows[:3]] == ["a\\tb", "c\\nd\\ne", " "]
    assert [row[3] for row in rows] == ["yes", "no"] * 3
    assert max(len(row[0]) for row in rows) == 200
    "".join(found.values()).encode("utf-8")
