"""Several labels in a row: how they are written, which are known, how rows are held out, what they weigh."""

import gzip
import json

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from trainer.config import Config, DataConfig, TargetConfig, UserError
from trainer.inputs.label_columns import label_column
from trainer.inputs.label_sets import LabelSets
from trainer.inputs.splits import load_splits

SETS = LabelSets("|")
ROWS = [("a", ["x", "y"]), ("b", []), ("c", ["y"]), ("d", ["z ", "x"])]


def loaded(path, column=SETS, **flags):
    return load_splits(DataConfig(data=str(path), **flags), "nowhere", column)


def write_jsonl(path, rows=ROWS):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text, "label": labels}) + "\n" for text, labels in rows)


def write_csv(path, rows=ROWS, separator="|"):
    path.write_text("text,label\n" + "".join(f'{text},"{separator.join(labels)}"\n' for text, labels in rows))


def write_parquet(path, rows=ROWS):
    texts, labels = zip(*rows, strict=True)
    pyarrow.parquet.write_table(pyarrow.table({"text": texts, "label": labels}), path)


@pytest.mark.parametrize("kind, write", [("jsonl", write_jsonl), ("csv", write_csv), ("parquet", write_parquet)])
def test_arrays_and_separated_labels_are_the_same_rows(tmp_path, kind, write):
    for name in ("train", "dev", "test"):
        write(tmp_path / f"{name}.{kind}")
    splits = loaded(tmp_path)
    assert [SETS.of(cell) for cell in splits.train.labels] == [("x", "y"), (), ("y",), ("z", "x")]
    learned = SETS.learned(splits)
    assert learned == {"labels": ["x", "y", "z"]}
    assert SETS.counts(splits.dev.labels, learned) == {"x": 2, "y": 2, "z": 1}


def test_null_is_no_label_and_a_label_twice_is_one(tmp_path):
    (tmp_path / "train.jsonl").write_text('{"text": "a", "label": null}\n{"text": "b", "label": "x | x|y"}\n')
    (tmp_path / "dev.jsonl").write_text('{"text": "b", "label": ["y"]}\n')
    assert [SETS.of(cell) for cell in loaded(tmp_path).train.labels] == [(), ("x", "y")]


def test_another_separator(tmp_path):
    column = label_column("label_set", Config(target=TargetConfig(label_separator=",")))
    write_csv(tmp_path / "train.csv", separator=" , ")
    write_csv(tmp_path / "dev.csv", separator=",")
    assert column.learned(loaded(tmp_path, column))["labels"] == ["x", "y", "z"]


@pytest.mark.parametrize(
    "rows, said",
    [
        ([("a", ["x|y"])], r"train.jsonl:1: column 'label' has the label 'x\|y', which holds the separator '\|'; give"),
        ([("a", [["x"]])], r"train.jsonl:1: column 'label' is an array"),
        ([("a", [None])], r"train.jsonl:1: column 'label' is null"),
        ([("a", []), ("b", [])], "train.jsonl: no row has a label; labels are separated by --label_separator"),
    ],
)
def test_what_cannot_be_read(tmp_path, rows, said):
    write_jsonl(tmp_path / "train.jsonl", rows)
    write_jsonl(tmp_path / "dev.jsonl")
    with pytest.raises(UserError, match=said):
        loaded(tmp_path)


def test_a_text_may_not_be_an_array(tmp_path):
    (tmp_path / "train.jsonl").write_text('{"text": ["a"], "label": ["x"]}\n')
    with pytest.raises(UserError, match="train.jsonl:1: column 'text' is an array; it must be a string"):
        loaded(tmp_path)


def test_a_label_beyond_the_training_rows_is_named(tmp_path):
    write_jsonl(tmp_path / "train.jsonl", [("a", ["refund"]), ("b", ["billing"])])
    write_jsonl(tmp_path / "dev.jsonl", [("a", []), ("b", ["refund", "biling"])])
    with pytest.raises(UserError, match=r"dev.jsonl:2: label 'biling' of dev is in no training row; did you mean 'bil"):
        SETS.learned(loaded(tmp_path))


def test_rare_labels_are_held_out_too(tmp_path):
    common = [(f"text {i}", ["often"]) for i in range(80)]
    rare = [(f"rare {i}", ["often", "rare"]) for i in range(20)]
    write_jsonl(tmp_path / "all.jsonl", common + rare + [(f"none {i}", []) for i in range(20)])
    splits = loaded(tmp_path / "all.jsonl", dev_fraction=0.2, test_fraction=0.2)
    for table in (splits.dev, splits.test):
        assert sum("rare" in cell for cell in table.labels) == 4
        assert sum(not cell for cell in table.labels) == 4


def test_weights():
    cells, learned = ["x|y", "x", "x", ""], {"labels": ["x", "y"]}
    assert SETS.class_weights("none", cells, learned) is None
    np.testing.assert_allclose(SETS.class_weights("balanced", cells, learned), [1 / 3, 3.0])
    np.testing.assert_allclose(SETS.class_weights("y=4", cells, learned), [1, 4])
    with pytest.raises(UserError, match="no label 'q'"):
        SETS.class_weights("q=4", cells, learned)
