"""Rows of several heads: joined where their texts are the same, mixed by temperature where they are not."""

import json

import numpy as np
import pytest

from trainer.config import Config, DataConfig
from trainer.inputs.head_rows import HeadLabels, HeadRows
from trainer.inputs.heads import data_sets, read_heads
from trainer.inputs.label_columns import label_column
from trainer.inputs.tokens import TokenIds
from trainer.inputs.window_rows import NO_TARGET, TextWindows


def write(folder, rows):
    folder.mkdir()
    for split, own in rows.items():
        lines = [json.dumps(row) for row in own]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    return str(folder)


@pytest.fixture
def corpus(tmp_path):
    """Two heads on one data set, a third one on another."""
    joint = [{"text": f"a b {i}", "label": "xy"[i % 2], "spans": [[0, 1, "X"]]} for i in range(4)]
    other = [{"text": f"c {i}", "stars": i} for i in range(3)]
    first = write(tmp_path / "joint", {"train": joint, "dev": joint[:2], "test": joint[2:]})
    second = write(tmp_path / "other", {"train": other, "dev": other[:2]})
    config = Config()
    return read_heads(
        {
            "mood": (DataConfig(data=first), label_column("label", config)),
            "stars": (DataConfig(data=second, label_column="stars"), label_column("score", config)),
            "marks": (DataConfig(data=first, label_column="spans"), label_column("spans", config)),
        },
        None,
    )


def test_the_same_texts_are_one_row_with_labels_of_both_heads(corpus):
    train = corpus.splits.train
    assert list(train.texts) == [f"a b {i}" for i in range(4)] + [f"c {i}" for i in range(3)]
    assert [list(json.loads(cell)) for cell in train.labels] == [["mood", "marks"]] * 4 + [["stars"]] * 3
    assert json.loads(train.labels[1]) == {"mood": "y", "marks": '[[0, 1, "X"]]'}
    assert data_sets(train.labels).tolist() == [0] * 4 + [1] * 3
    assert train.where(4).endswith("other/train.jsonl:1") and len(corpus.splits.test) == 2
    assert corpus.learned["mood"] == {"labels": ["x", "y"]} and corpus.learned["stars"]["mean"] == 1.0
    assert corpus.counts["train"] == {"mood/x": 2, "mood/y": 2, "marks/X": 4}


def windows_of(lengths, text):
    """TextWindows of windows of so many tokens; the tokens between the first and the last one are its own."""
    starts = np.append(0, np.cumsum(lengths))
    own = np.ones(starts[-1], bool)
    own[starts[:-1]] = own[starts[1:] - 1] = False
    texts = np.bincount(text, weights=np.array(lengths) - 2).astype(int)
    tokens = TokenIds(np.arange(starts[-1], dtype=np.int32), starts, np.array(lengths, np.int32), own[:0])
    count = np.zeros(texts.sum(), np.int32)
    at, sums = np.zeros(len(text), int), np.append(0, np.cumsum(texts))
    return TextWindows(tokens, np.array(text), at, own, sums, count, count, count, own[:0])


class Packed:
    """Stands for a preprocessor: the encoder's inputs are the ids."""

    sequence_length, special = 8, type("Special", (), {"pad": 0})

    def pack(self, ids, lengths, first):
        return {"token_ids": ids}


def test_each_head_learns_from_the_rows_that_have_its_label():
    windows = windows_of([4, 4, 3], [0, 0, 1])  # two windows of one text, one of another
    tags = HeadLabels(np.array([0]), None, True, np.int32([1, 2, 3, 4, NO_TARGET]), np.float32([1, 0]))
    label = HeadLabels(np.array([0, 1]), None, False, np.int32([5, 6]), np.float32([1, 2]))
    preprocess = type("Windowed", (), {"preprocessor": Packed()})
    rows = HeadRows(windows, preprocess, ["a", "b"], {"tags": tags, "label": label})
    dataset, order = rows.evaluation("random", 4)
    ((_, targets, weights),) = dataset.as_numpy_iterator()
    back = np.argsort(order)
    assert targets["label"][back].tolist() == [5, 5, 6] and weights["label"][back].tolist() == [1, 0, 2]
    assert targets["tags"][back].tolist() == [[-1, 1, 2, -1], [-1, 3, 4, -1], [-1, -1, -1, -1]]
    found = {"label": np.float32([[1], [2], [3]])[order], "tags": windows.tokens.ids[:, None].astype(np.float32)}
    lengths, starts = windows.tokens.lengths, windows.tokens.starts
    found["tags"] = np.concatenate([found["tags"][starts[row] : starts[row] + lengths[row]] for row in order])
    collected = rows.collected(found, order)
    assert collected["label"].tolist() == [[1], [3]]
    assert collected["tags"].values[:, 0].tolist() == [1, 2, 5, 6, 9]
    assert collected["tags"].take(np.array([1])).values[:, 0].tolist() == [9]


def test_temperature_mixes_data_sets():
    windows = windows_of([3] * 1000, range(1000))
    sets = np.repeat([0, 1], [900, 100])
    preprocess = type("Windowed", (), {"preprocessor": Packed()})
    labels = {"a": HeadLabels(np.arange(1000), None, False, np.zeros(1000, np.int32), np.ones(1000, np.float32))}
    assert HeadRows(windows, preprocess, [], labels, sets, 1.0).chosen(1, 0) is None
    rows = HeadRows(windows, preprocess, [], labels, sets, 2.0)
    chosen = rows.chosen(1, 0)
    counts = np.bincount(chosen, minlength=1000)
    assert len(chosen) == 1000 and counts[:900].sum() == 750  # √900 : √100 = 3 : 1
    assert set(counts[:900]) == {0, 1} and set(counts[900:]) == {2, 3}
    assert (rows.chosen(1, 0) == chosen).all() and (rows.chosen(1, 1) != chosen).any()
    batches = rows.epoch("random", 32, 1, 0)
    assert sorted(np.concatenate([batch.rows for batch in batches])) == sorted(chosen)
