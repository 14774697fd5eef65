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
    ((_, targets, weights),) = rows.training("random", 4, 1, 1).as_numpy_iterator()
    back = np.argsort(next(rows.batches("random", 4, 1, 1)).rows)
    assert targets["label"][back].tolist() == [5, 5, 6] and weights["label"][back].tolist() == [1, 0, 2]
    assert targets["tags"][back].tolist() == [[-1, 1, 2, -1], [-1, 3, 4, -1], [-1, -1, -1, -1]]
    _, order = rows.evaluation("random", 4)
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


def token_ids(lengths, start=0):
    starts = np.append(0, np.cumsum(lengths, dtype=int))
    ids = np.arange(start, start + starts[-1], dtype=np.int32)
    return TokenIds(ids, starts, np.array(lengths, np.int32), np.zeros(len(lengths), bool))


def rows_of_pairs(count=21, pairs=8):
    """HeadRows of texts of 3 tokens: the first ones have a label, the last `pairs` a second text of 4 and a third."""
    windows, preprocess = windows_of([3] * count, range(count)), type("Windowed", (), {"preprocessor": Packed()})
    texts, first = np.arange(count), count - pairs
    weights = np.float32(texts >= first)
    partners = (token_ids([4] * pairs, 1000), token_ids([2] * pairs, 2000))
    numbers = np.stack([texts, -texts], axis=1).astype(np.int32)
    heads = {
        "label": HeadLabels(texts[:first], None, False, texts.astype(np.int32), 1 - weights),
        "near": HeadLabels(texts[first:], numbers[first:], False, numbers, weights, partners),
        "tags": HeadLabels(texts[:first], None, True, np.full(count, 7, np.int32), 1 - weights),
    }
    return HeadRows(windows, preprocess, list(map(str, texts)), heads)


@pytest.mark.parametrize("kind", ["random", "pools", "buckets"])
def test_batches_are_of_rows_with_as_many_texts_but_for_what_is_left(kind):
    rows = rows_of_pairs()
    batches = rows.epoch(kind, 5, 1, 0)
    assert len(batches) == 5 and sorted(np.concatenate([each.rows for each in batches])) == list(range(21))
    kinds = [set(np.array(each.rows) >= 13) for each in batches]
    assert sorted(map(len, kinds)) == [1, 1, 1, 1, 2] or kind == "buckets"  # left: 3 of either, 5 and 1
    assert {rows.counts[0], rows.counts[20]} == {3, 9} and {rows.lengths[0], rows.lengths[20]} == {3, 4}
    assert [each.rows.tolist() for each in rows.epoch(kind, 5, 1, 0)] == [each.rows.tolist() for each in batches]


def test_partners_stand_behind_their_text_and_weigh_nothing_for_other_heads():
    rows = rows_of_pairs()
    batches = rows.epoch("random", 5, 1, 0)
    for batch, (features, targets, weights) in zip(batches, rows.training("random", 5, 1, 5), strict=True):
        ids, width = features["token_ids"].numpy(), rows.partners.width(batch.rows)
        ids, is_pair = ids.reshape(len(batch.rows), width, -1), batch.rows >= 13
        assert width == (3 if is_pair.any() else 1)
        assert ids[:, 0, 0].tolist() == (3 * batch.rows).tolist()
        second, third = (1000 + 4 * (batch.rows - 13), 2000 + 2 * (batch.rows - 13))
        assert (ids[is_pair, 1:, 0] == np.stack([second, third], 1)[is_pair, : width - 1]).all()
        assert targets["near"].numpy().tolist() == np.stack([batch.rows, -batch.rows], 1).tolist()
        assert weights["near"].numpy().tolist() == is_pair.tolist()
        for name in ("label", "tags"):
            own = weights[name].numpy().reshape(len(batch.rows), width)
            assert own[:, 0].tolist() == (~is_pair).tolist() and not own[:, 1:].any()
            assert len(targets[name]) == ids.shape[0] * width


def test_each_text_is_answered_once_whatever_it_belongs_to():
    rows = rows_of_pairs()
    _, order = rows.evaluation("random", 4)
    vectors = rows.tokens.ids[rows.tokens.starts[:-1]].astype(np.float32)[:, None]
    tokens = np.concatenate([rows.tokens.ids[rows.tokens.starts[row] : rows.tokens.starts[row + 1]] for row in order])
    found = rows.collected({"label": vectors[order], "near": vectors[order], "tags": tokens[:, None]}, order)
    assert found["label"][:, 0].tolist() == [3 * row for row in range(21)] and len(rows) == 21
    assert found["near"].rows.tolist() == list(range(13, 21)) and len(found["near"]) == 21
    assert found["near"].pairs()[1, :, 0].tolist() == [42, 1004, 2002]
    assert found["tags"].values[:, 0].tolist() == [3 * row + 1 for row in range(21)]


def test_a_split_without_pairs_is_one_of_single_texts():
    rows = rows_of_pairs(7, 0)
    assert rows.partners.columns.tolist() == [1] * 7 and len(rows.epoch("random", 5, 1, 0)) == 2
    _, order = rows.evaluation("random", 4)
    vectors = rows.tokens.ids[rows.tokens.starts[:-1]].astype(np.float32)[order, None]
    assert rows.collected({"near": vectors}, order)["near"].pairs().shape == (0, 3, 1)
