"""A score in each row: what counts as one, its bounds, how rows are held out."""

import numpy as np
import pytest

from trainer.config import Config, DataConfig, TargetConfig, UserError
from trainer.inputs.label_columns import label_column
from trainer.inputs.scores import Scores
from trainer.inputs.splits import load_splits


def loaded(folder, scores, column, dev=("1", "2")):
    for name, cells in (("train", scores), ("dev", dev)):
        (folder / f"{name}.tsv").write_text(
            "text\tlabel\n" + "".join(f"t{i}\t{cell}\n" for i, cell in enumerate(cells))
        )
    return column.learned(load_splits(DataConfig(data=str(folder)), "nowhere", column))


def test_mean_and_deviation_of_the_training_scores(tmp_path):
    found = loaded(tmp_path, ["1", "2.5", " -3e0 ", "+4"], Scores())
    assert found == {"mean": pytest.approx(1.125), "deviation": pytest.approx(np.std([1, 2.5, -3, 4]))}


@pytest.mark.parametrize("cell", ["good", "1,5", "nan", "inf", "1 2", "0x10", "1_000"])
def test_what_is_no_number(tmp_path, cell):
    with pytest.raises(UserError, match=rf"train.tsv:3: the score is '{cell}'; allowed is a number, such as 3.5"):
        loaded(tmp_path, ["1", cell, "2"], Scores())


def test_out_of_bounds_in_any_split(tmp_path):
    column = label_column("score", Config(target=TargetConfig(score_range="0,5")))
    with pytest.raises(UserError, match=r"dev.tsv:3: the score 5.1 is out of bounds; --score_range=0,5 allows 0 to 5"):
        loaded(tmp_path, ["0", "5", "2"], column, dev=("1", "5.1"))
    assert loaded(tmp_path, ["0", "5", "2"], column)["mean"] == pytest.approx(7 / 3)


def test_one_score_only(tmp_path):
    with pytest.raises(UserError, match="train.tsv: every row has the score 1; there is nothing to learn"):
        loaded(tmp_path, ["1", "1.0"], Scores())


def test_no_class_weights():
    assert Scores().class_weights("none", [], {}) is None
    with pytest.raises(UserError, match="--class_weights=balanced: scores have no classes"):
        Scores().class_weights("balanced", [], {})


def test_every_part_of_the_range_is_held_out(tmp_path):
    values = np.random.default_rng(0).permutation(np.linspace(0, 10, 200))
    path = tmp_path / "all.tsv"
    path.write_text("text\tlabel\n" + "".join(f"text {i}\t{value:.3f}\n" for i, value in enumerate(values)))
    splits = load_splits(DataConfig(data=str(path)), "nowhere", Scores())
    for table in (splits.dev, splits.test):
        held = np.histogram([float(cell) for cell in table.labels], bins=10, range=(0, 10))[0]
        assert len(table) == 20 and held.min() >= 1


@pytest.mark.parametrize("given", ["5", "5,0", "a,b", "0,inf", "0,1,2", ","])
def test_a_range_that_is_none(given):
    with pytest.raises(UserError, match=f"--score_range={given}: allowed is LOW,HIGH, two numbers such as 0,5"):
        TargetConfig(score_range=given).bounds()
