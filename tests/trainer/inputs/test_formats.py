"""The same rows give the same batches, whatever they are kept in; and what becomes of values that are no text."""

import datetime
import decimal
import functools
import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import tensorflow as tf

from tests import tiny_reviews, written
from tests.tiny_encoders import VOCABULARY
from trainer.config import DataConfig
from trainer.inputs.labels import fingerprint, label_ids, splits_vocabulary
from trainer.inputs.pipeline import Rows
from trainer.inputs.sources import read_rows, read_table
from trainer.inputs.splits import load_splits
from trainer.inputs.tokens import tokenize
from trainer.models.preprocessor import SpecialTokens, TextPreprocessor
from trainer.models.wordpiece import WordPiece

HOSTILE = [
    'he said "no, film"',
    "",
    "  a  film ",
    "🙂 great\u2028 film",
    "這部電影 好看 中",
    "a\u0301 é ﬁ",
    "'",
    ",",
    "\\n \\t",
]
BROKEN = ["a film\nand\r\nlife", "tab\there", "\n"]  # what TSV cannot hold


def splits_of(texts):
    """24 rows for training and a few more, of two labels, one of which is not ASCII."""
    rows = [(text, ("gut", "schlecht — 差")[i % 2]) for i, text in enumerate(texts)]
    plain = [(text, "gut" if label == "positive" else "schlecht — 差") for text, label in tiny_reviews.rows(30)]
    return {"train": rows + plain[:20], "dev": plain[20:26], "test": plain[26:]}


@pytest.fixture(scope="module")
def preprocessor():
    start, end, pad = map(VOCABULARY.index, ("[CLS]", "[SEP]", "[PAD]"))
    return TextPreprocessor(WordPiece(VOCABULARY), SpecialTokens(start, (end,), end, pad), 24, ("token_ids", "x"))


def batches(splits, preprocessor):
    """`sha256` over two epochs of training batches: features, targets, weights, in their order."""
    vocabulary = splits_vocabulary(splits)
    tokens = tokenize(preprocessor, splits.train.texts)
    rows = Rows(tokens, preprocessor, label_ids(vocabulary, splits.train.labels))
    digest = hashlib.sha256(str((vocabulary, len(rows))).encode())
    for features, target, weight in rows.training("pools", 8, 5, 2 * -(-len(rows) // 8)):
        for array in (*(features[name] for name in sorted(features)), target, weight):
            digest.update(str((array.dtype, array.shape)).encode() + array.numpy().tobytes())
    return digest.hexdigest()


CASES = [(kind, HOSTILE) for kind in written.KINDS if kind != ".csv"] + [
    (kind, HOSTILE + BROKEN) for kind in written.KINDS if ".tsv" not in kind
]


@pytest.fixture(scope="module")
def expected(tmp_path_factory, preprocessor):
    """expected(texts): fingerprints of the rows and of the batches from CSV."""

    @functools.cache
    def made(count):
        texts = (HOSTILE + BROKEN)[:count]
        splits = load_splits(
            DataConfig(**written.write_all(tmp_path_factory.mktemp("csv"), ".csv", splits_of(texts))), ""
        )
        assert splits.train.texts[:count] == texts
        return fingerprint(splits), batches(splits, preprocessor)

    return lambda texts: made(len(texts))


@pytest.mark.parametrize("kind, texts", CASES, ids=[f"{kind}-{len(texts)} texts" for kind, texts in CASES])
def test_the_same_rows_give_identical_batches(tmp_path, preprocessor, expected, kind, texts):
    found = load_splits(DataConfig(**written.write_all(tmp_path, kind, splits_of(texts))), tmp_path)
    assert (fingerprint(found), batches(found, preprocessor)) == expected(texts)


def test_another_row_gives_other_batches(tmp_path, preprocessor):
    made = []
    for name, texts in (("a", HOSTILE), ("b", ["a film", *HOSTILE[1:]])):
        splits = load_splits(DataConfig(**written.write_all(tmp_path / name, ".parquet", splits_of(texts))), tmp_path)
        made.append((fingerprint(splits), batches(splits, preprocessor)))
    assert made[0][0] != made[1][0] and made[0][1] != made[1][1]


def cells(path, *columns):
    return [row for _, row in read_rows(path, columns)]


@pytest.mark.parametrize("column", ["text", "large", "coded"])
def test_parquet_strings_of_every_kind(tmp_path, column):
    texts = ["a", "", "é"] * 3
    more = {"large": pa.array(texts, pa.large_string()), "coded": pa.array(texts).dictionary_encode()}
    written.write_parquet(tmp_path / "a.parquet", [(text, "x") for text in texts], **more)
    table = read_table(tmp_path / "a.parquet", text_column=column)
    assert table.texts == texts and table.lines.tolist() == list(range(1, 10)) and table.labels == ["x"] * 9


def test_parquet_values_become_the_text_that_jsonl_would_give(tmp_path):
    values = {
        "int": (pa.array([-1, 2**62]), ["-1", str(2**62)]),
        "float": (pa.array([0.1, 2.0]), ["0.1", "2.0"]),
        "float32": (pa.array([0.1, 2.0], pa.float32()), ["0.1", "2.0"]),
        "bool": (pa.array([True, False]), ["true", "false"]),
        "bytes": (pa.array(["é".encode(), b""]), ["é", ""]),
        "decimal": (pa.array([decimal.Decimal("1.50"), decimal.Decimal("0.00")]), ["1.50", "0.00"]),
        "day": (pa.array([datetime.date(2026, 1, 2)] * 2), ["2026-01-02"] * 2),
        "time": (pa.array([datetime.datetime(2026, 1, 2, 3, 4)] * 2, pa.timestamp("ns")), None),
    }
    pa.parquet.write_table(pa.table({name: array for name, (array, _) in values.items()}), tmp_path / "a.parquet")
    found = dict(zip(values, map(list, zip(*cells(tmp_path / "a.parquet", *values), strict=True)), strict=True))
    assert found.pop("time")[0].startswith("2026-01-02 03:04:00")
    assert found == {name: expected for name, (_, expected) in values.items() if expected}


def test_parquet_written_by_datasets_keeps_the_names_of_its_classes(tmp_path):
    import datasets

    datasets.disable_progress_bars()
    kinds = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    rows = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, -1]}, features=kinds)
    rows.to_parquet(str(tmp_path / "a.parquet"))
    assert cells(tmp_path / "a.parquet", "label", "text") == [["yes", "a"], ["no", "b"], ["-1", "c"]]


def test_pandas_frames_with_categories(tmp_path):
    import pandas as pd

    frame = pd.DataFrame({"text": ["a", "b"], "label": pd.Categorical(["x", "y"]), "stars": [1, 2]}, index=[7, 9])
    frame.to_parquet(tmp_path / "a.parquet")
    assert cells(tmp_path / "a.parquet", "text", "label", "stars") == [["a", "x", "1"], ["b", "y", "2"]]


def test_arrow_files_with_and_without_a_footer(tmp_path):
    table = pa.table({"text": ["a", "b", "c"], "label": [1, 2, 3]})
    for name, opened in (("file", pa.ipc.new_file), ("stream", pa.ipc.new_stream)):
        with opened(tmp_path / f"{name}.arrow", table.schema) as writer:
            writer.write_table(table, max_chunksize=2)
        found = read_table(tmp_path / f"{name}.arrow")
        assert (found.texts, found.labels, found.lines.tolist()) == (["a", "b", "c"], ["1", "2", "3"], [1, 2, 3])


def test_tfrecord_features_of_every_kind(tmp_path):
    features = {
        "stars": tf.train.Feature(int64_list=tf.train.Int64List(value=[-(2**40)])),
        "score": tf.train.Feature(float_list=tf.train.FloatList(value=[0.1])),
    }
    written.write_tfrecord(tmp_path / "a.tfrecord", [("é", "x"), ("", "y")], **features)
    rows = [["é", str(-(2**40)), "0.1"], ["", str(-(2**40)), "0.1"]]
    assert cells(tmp_path / "a.tfrecord", "text", "stars", "score") == rows


def test_tfrecords_are_known_by_any_usual_name(tmp_path):
    for name in ("a.tfrecords", "a.tfrecord.gz", "a.tfrecord-00000-of-00001", "a-00000-of-00001.tfrecords.gz"):
        written.write_tfrecord(tmp_path / name, [("a", "x")])
        assert cells(tmp_path / name, "text") == [["a"]]
    with tf.io.TFRecordWriter(str(tmp_path / "packed.tfrecord"), "GZIP") as writer:  # and by what they hold
        feature = tf.train.Features(feature={"text": written.bytes_feature("a")})
        writer.write(tf.train.Example(features=feature).SerializeToString())
    assert cells(tmp_path / "packed.tfrecord", "text") == [["a"]]


def spoilt_parquet(path):
    texts = [b"ok", b"caf\xe9", None, b"last"]
    pa.parquet.write_table(
        pa.table({"text": pa.array(texts, pa.binary()).view(pa.string()), "n": [1.0, 2.0, 3.0, np.nan]}), path
    )


def test_faults_of_records_are_told_and_the_rest_is_read(tmp_path):
    spoilt_parquet(tmp_path / "a.parquet")
    faults = []
    rows = list(read_rows(tmp_path / "a.parquet", ["text"], faults.append))
    assert rows == [(1, ["ok"]), (2, ["caf\udce9"]), (4, ["last"])]
    assert [(fault.line, fault.kind, fault.message) for fault in faults] == [
        (2, "encoding", "column 'text' is not UTF-8"),
        (3, "value", "column 'text' is null; it must be a string"),
    ]
    faults.clear()
    assert len(list(read_rows(tmp_path / "a.parquet", ["n"], faults.append))) == 3
    assert [(fault.line, fault.message) for fault in faults] == [(4, "column 'n' is null; it must be a string")]
    faults.clear()
    assert list(read_rows(tmp_path / "a.parquet", ["txt"], faults.append)) == []
    assert [fault.kind for fault in faults] == ["columns"]


def test_faults_of_tfrecords_are_told_and_the_rest_is_read(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        for features in (
            {"text": written.bytes_feature("ok")},
            {"txt": written.bytes_feature("other name")},
            {"text": written.bytes_feature("one", "two")},
            {"text": tf.train.Feature()},
            {"text": written.bytes_feature(b"caf\xe9")},
        ):
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    with open(tmp_path / "a.tfrecord", "ab") as file:
        file.write(b"\x07\0\0\0")
    faults = []
    assert list(read_rows(tmp_path / "a.tfrecord", ["text"], faults.append)) == [(1, ["ok"]), (5, ["caf\udce9"])]
    assert [(fault.line, fault.kind) for fault in faults] == [
        (2, "columns"), (3, "value"), (4, "value"), (5, "encoding"), (6, "record")
    ]  # fmt: skip
    assert "feature 'text' holds 2 values; it must hold one" in faults[1].message
