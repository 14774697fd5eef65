"""The quick look before training."""

import pytest

from data.doctor import at_start
from tests.data.doctor.asking import ask
from tests.data.plain_texts import as_csv, rows, write_folder
from trainer.config import Config
from trainer.inputs.label_columns import label_column
from trainer.inputs.sources import read_table
from trainer.inputs.splits import Splits, load_splits
from trainer.tasks import TASKS


def config_of(path, doctor):
    return Config.from_flat({"data": str(path), "doctor": doctor})


def look(path, doctor):
    config = config_of(path, doctor)
    return at_start.look(config, load_splits(config.data, config.cache_dir()))


@pytest.fixture
def clean(tmp_path):
    return write_folder(tmp_path / "set")


@pytest.fixture
def leaking(clean):
    train, test = ((clean / f"{name}.csv").read_text().splitlines() for name in ("train", "test"))
    text, _, label = train[9].rpartition(",")
    (clean / "test.csv").write_text("\n".join([*test, train[4], f"{text.upper()},{label}"]) + "\n")
    return clean


def test_warn_says_what_is_worth_saying(leaking, capsys):
    found = look(leaking, "warn")
    said = capsys.readouterr()
    assert said.out == "" and said.err.splitlines()[0].startswith("doctor: error: 1 rows of")
    assert all(line.startswith("doctor: ") for line in said.err.splitlines())
    whole = ask(leaking, "--json").report
    assert set(found) == set(whole)
    quick = {finding["check"]: finding for finding in found["findings"]}
    assert quick["leakage_exact"] == next(f for f in whole["findings"] if f["check"] == "leakage_exact")
    assert found["files"] == whole["files"]


def test_nothing_is_said_where_nothing_is_wrong(clean, capsys):
    for doctor in ("warn", "strict"):
        assert look(clean, doctor)["findings"] == []
    assert capsys.readouterr().err == ""


def test_strict_stops_with_one_line(leaking, capsys):
    with pytest.raises(at_start.Spoilt) as stop:
        look(leaking, "strict")
    assert stop.value.exit_code == 1 and "\n" not in str(stop.value)
    assert "1 rows of" in str(stop.value) and "python -m data.doctor" in str(stop.value)
    assert capsys.readouterr().err == ""


def test_off_does_not_look(leaking, capsys):
    assert look(leaking, "off") == {} and capsys.readouterr().err == ""


def test_splits_of_one_file_are_compared(tmp_path):
    table = rows(300)
    table += [(text.upper(), label) for text, label in table[:150]]
    (tmp_path / "some.csv").write_bytes(as_csv(table))
    found = {finding["check"] for finding in look(tmp_path / "some.csv", "warn")["findings"]}
    assert "leakage_near" in found and "leakage_exact" not in found


def test_a_split_of_several_chunks_and_files_is_seen_as_one(leaking, monkeypatch):
    rows = (leaking / "train.csv").read_text().splitlines()
    for shard, part in enumerate((rows[1:20], rows[20:])):
        (leaking / f"train-{shard:05}-of-00002.csv").write_text("\n".join([rows[0], *part]) + "\n")
    (leaking / "train.csv").unlink()
    whole = look(leaking, "warn")
    monkeypatch.setattr(at_start, "CHUNK", 7)
    assert look(leaking, "warn") == whole
    assert "train-00000-of-00002.csv:" in str(whole["findings"])


@pytest.mark.parametrize("task, cells", [("multi_label", ["a|b", "b", ""]), ("regression", ["1.0", "1.5", "2"])])
def test_labels_that_are_no_single_ones_are_not_taken_for_some(tmp_path, task, cells):
    """Each set, and each number, would be a rare label, and most of dev's unknown ones."""
    for name in ("train", "dev"):
        lines = [f"text {name} {row},{cells[row % 3]}" for row in range(30)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    config = Config.from_flat({"data": str(tmp_path), "task": task})
    column = label_column(TASKS[task].column, config)
    found = at_start.look(config, load_splits(config.data, "nowhere", column))
    assert not [each for each in found["findings"] if "label" in each["check"] or "class" in each["check"]]
    assert [file["rows"] for file in found["files"]] == [30, 30]


def test_texts_that_are_read_in_windows_are_cut_where_no_window_reaches(tmp_path):
    rows = "\n".join(f"{'word ' * count},[]" for count in (20, 90, 400))
    (tmp_path / "rows.csv").write_text(f"text,label\n{rows}\n")
    given = {"data": str(tmp_path / "rows.csv"), "sequence_length": 34, "window_overlap": 12, "max_windows": 5}

    def cut(**more):
        config = Config.from_flat(given | more)
        column = label_column(TASKS[config.model.task].column, config)
        table = read_table(tmp_path / "rows.csv", "text", "", column.column("label"), column.labelled)
        found = at_start.look(config, Splits(table, None, None))["findings"]
        return [each["message"] for each in found if each["check"] == "truncated"]

    assert cut() == ["at least 2 texts (66.7%) are longer than --sequence_length=34 and will be cut"]
    # the first window reads 32 words, each other one 20 more
    assert cut(task="tagging") == [
        "at least 1 texts (33.3%) are longer than the 114 tokens of --max_windows=5 and will be cut"
    ]
