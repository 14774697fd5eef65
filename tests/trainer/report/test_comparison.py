"""Runs side by side: what differs, counted by hand."""

import json

import pytest

from tests.trainer.report import workdirs
from trainer.config import UserError
from trainer.metrics.mcnemar import exact_p
from trainer.report.comparison import compare


@pytest.fixture
def runs(tmp_path):
    return [workdirs.make(tmp_path / name, seed=seed, epochs=2 + seed) for seed, name in enumerate(("a", "b"))]


def answers(path):
    return [json.loads(line) for line in (path / "predictions.jsonl").read_text().splitlines()]


def rewrite(path, rows):
    (path / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_only_what_differs_is_named(runs):
    found = compare(runs)
    assert found["runs"] == {"a": str(runs[0]), "b": str(runs[1])} and found["warnings"] == []
    assert found["flags"] == {"epochs": ["2", "3"]}
    assert list(found["metrics"])[:2] == ["dev accuracy", "dev macro_f1"] and "test loss" in found["metrics"]


def test_rows_that_one_alone_got_right(runs):
    right = [[row["label"] == row["true_label"] for row in answers(path)] for path in runs]
    first = sum(a and not b for a, b in zip(*right, strict=True))
    second = sum(b and not a for a, b in zip(*right, strict=True))
    (pair,) = compare(runs)["pairs"]
    assert (pair["rows"], pair["only_first"], pair["only_second"]) == (60, first, second) and first + second > 0
    assert pair["both_right"] + pair["both_wrong"] + first + second == 60
    assert pair["p_value"] == exact_p(first, second)


def test_rows_are_matched_by_what_they_hold(runs):
    """Another order, a row more, a text twice: the rows that both judged are still the same ones."""
    before = compare(runs)["pairs"][0]
    rows = answers(runs[1])
    extra = rows[0] | {"text": "judged by one only"}
    rewrite(runs[1], [extra, *reversed(rows)])
    assert compare(runs)["pairs"][0] == before
    for path in runs:
        rows = answers(path)
        rewrite(path, [*rows, *(row for row in rows if row["text"] == "text 0")])
    assert compare(runs)["pairs"][0]["rows"] == 61


def test_no_row_in_common(runs):
    rewrite(runs[1], [row | {"text": row["text"] + "!"} for row in answers(runs[1])])
    (pair,) = compare(runs)["pairs"]
    assert pair["rows"] == 0 and pair["p_value"] is None


def test_labels_by_how_much_they_differ(runs, tmp_path):
    other = workdirs.make(tmp_path / "c", labels=("negative", "neutral"))
    labels = compare([*runs, other])["labels"]
    assert [row["label"] for row in labels] == ["negative", "neutral", "positive"]
    assert labels[0]["difference"] == pytest.approx(labels[0]["f1"][2] - labels[0]["f1"][0])
    assert labels[1]["f1"][:2] == [None, None] and labels[1]["difference"] is None


def test_other_data_and_missing_predictions_are_warned_of(runs):
    manifest = json.loads((runs[1] / "manifest.json").read_text())
    manifest["data"]["fingerprint"] = "sha256:other"
    (runs[1] / "manifest.json").write_text(json.dumps(manifest))
    (runs[0] / "predictions.jsonl").unlink()
    first, second = compare(runs)["warnings"]
    assert first.startswith("b was trained on other rows than a")
    assert second == "a has no predictions of its test rows: run --mode=evaluate on it"


def test_runs_of_one_name_are_told_apart(tmp_path):
    paths = [workdirs.make(tmp_path / parent / "run") for parent in ("x", "y")]
    assert list(compare(paths)["runs"]) == ["x/run", "y/run"]


def test_no_workdir(runs, tmp_path):
    for path, said in ((tmp_path / "missing", "no such folder"), (tmp_path, "is no workdir")):
        with pytest.raises(UserError, match=said):
            compare([runs[0], path])
