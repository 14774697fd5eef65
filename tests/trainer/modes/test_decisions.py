"""From the flags of calibration and abstaining to results, predictions and the exported version."""

import dataclasses
import json
import pathlib
import shutil

import pytest

from serving.contract import read_contract
from tests import tiny_reviews
from tests.commands import run_main
from tests.trainer.modes.conftest import LEARN, Trained

LABELS = ("negative", "positive")
FIGURES = {"temperature", "ece", "nll", "reliability", "risk_coverage", "aurc"}


@pytest.fixture(scope="module")
def doubtful(bert_folder, tmp_path_factory):
    """A run over 180, 120 and 120 rows, some of them anybody's guess; not exported. Leave its files as they are."""
    folder = tmp_path_factory.mktemp("doubtful")
    tiny_reviews.write_doubtful(folder / "data")
    flags = (f"--encoder={bert_folder}", f"--data={folder / 'data'}", *LEARN, f"--workdir={folder / 'run'}")
    return Trained(folder / "run", flags[:-1], run_main(*flags, "--noexport", "--json"))


@pytest.fixture
def copied(doubtful, tmp_path):
    return dataclasses.replace(doubtful, workdir=pathlib.Path(shutil.copytree(doubtful.workdir, tmp_path / "copied")))


def ask(run, mode, *more):
    return run_main(*run.flags, f"--workdir={run.workdir}", f"--mode={mode}", *more)


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_results_of_a_run_that_never_abstains(doubtful):
    assert doubtful.done.code == 0, doubtful.done.err
    found = doubtful.results["decisions"]
    assert set(found) == FIGURES and json.loads(doubtful.done.out)["decisions"] == found
    for name in FIGURES - {"temperature"}:
        assert list(found[name]) == ["dev", "test"]
    assert found["nll"]["dev"]["after"] < found["nll"]["dev"]["before"] == doubtful.results["dev"]["loss"]
    for split in ("dev", "test"):
        for bins in found["reliability"][split].values():
            assert sum(each["count"] for each in bins) == 120
        curve = found["risk_coverage"][split]
        assert 1 < len(curve) <= 101 and curve[-1]["coverage"] == 1
        assert curve[-1]["risk"] == pytest.approx(1 - doubtful.results[split]["accuracy"])
    assert not any("abstain" in line for line in lines(doubtful.workdir / "predictions.jsonl"))


def test_people_are_told(copied):
    done = ask(copied, "evaluate", "--abstain_precision=0.9")
    assert done.code == 0 and "calibration" in done.out and "ECE dev" in done.out and "(0.9 asked for)" in done.out


def test_abstaining_is_worth_it(copied):
    before = copied.results
    done = ask(copied, "evaluate", "--abstain_precision=0.9", "--json")
    assert done.code == 0, done.err
    found = copied.results["decisions"]
    assert json.loads(done.out)["decisions"] == found and set(found) == FIGURES | {"abstain"}
    abstain = found["abstain"]
    assert set(abstain) == {"target_precision", "threshold", "dev", "test"} and abstain["target_precision"] == 0.9
    for split in ("dev", "test"):
        assert abstain[split]["precision"] > max(0.9, before[split]["accuracy"]) and abstain[split]["coverage"] < 1
    assert {split: copied.results[split] for split in ("dev", "test")} == {s: before[s] for s in ("dev", "test")}
    predicted = lines(copied.workdir / "predictions.jsonl")
    for line in predicted:
        assert line["abstain"] == (line["score"] < abstain["threshold"])
    kept = [line for line in predicted if not line["abstain"]]
    assert len(kept) / 120 == abstain["test"]["coverage"]
    assert sum(line["label"] == line["true_label"] for line in kept) / len(kept) == abstain["test"]["precision"]


def test_no_calibration_leaves_the_probabilities_alone(copied):
    assert ask(copied, "evaluate", "--calibration=none").code == 0
    found = copied.results["decisions"]
    assert found["temperature"] == 1
    for split in ("dev", "test"):
        for figure in ("ece", "nll", "reliability"):
            assert found[figure][split]["before"] == found[figure][split]["after"]


def test_thresholds_of_each_label(copied):
    assert ask(copied, "evaluate", "--abstain_precision=0.8", "--abstain_per_label").code == 0
    abstain = copied.results["decisions"]["abstain"]
    assert set(abstain["thresholds"]) == set(LABELS) and "threshold" in abstain
    for line in lines(copied.workdir / "predictions.jsonl"):
        assert line["abstain"] == (line["score"] < abstain["thresholds"][line["label"]])


def test_what_is_asked_of_a_run_of_before(copied, tmp_path):
    """Its workdir has no decisions, and its flags.txt has none of the flags."""
    (copied.workdir / "decisions.json").unlink()
    results = {name: value for name, value in copied.results.items() if name != "decisions"}
    (copied.workdir / "results.json").write_text(json.dumps(results))
    text = (copied.workdir / "flags.txt").read_text().splitlines(keepends=True)
    (copied.workdir / "flags.txt").write_text(
        "".join(line for line in text if "abstain" not in line and "calibr" not in line)
    )
    tiny_reviews.write(tmp_path / "texts.csv", tiny_reviews.doubtful_rows(120, seed=2))
    files = {path: path.read_bytes() for path in copied.workdir.glob("*.json*")}
    given = (f"--predict_input={tmp_path}/texts.csv", f"--predict_output={tmp_path}/out.jsonl")
    done = ask(copied, "predict", *given, "--abstain_precision=0.9")
    assert done.code == 0 and 0 < sum(line["abstain"] for line in lines(tmp_path / "out.jsonl")) < 120
    assert {path: path.read_bytes() for path in copied.workdir.glob("*.json*")} == files, "a question changes no result"
    assert ask(copied, "evaluate").code == 0 and set(copied.results["decisions"]) == FIGURES


def test_an_export_holds_what_its_flags_ask_for(copied):
    done = ask(copied, "export", "--abstain_precision=0.9", "--json")
    assert done.code == 0, done.err
    version = pathlib.Path(json.loads(done.out)["export"]["version_dir"])
    found, contract = copied.results["decisions"], read_contract(version)
    assert contract["decisions"] == {
        "temperature": found["temperature"],
        "target_precision": 0.9,
        "threshold": found["abstain"]["threshold"],
    }
    card = (version / "model_card.md").read_text()
    assert f"| dev | {found['ece']['dev']['before']:.4f} | {found['ece']['dev']['after']:.4f} |" in card
    stamps = [(copied.workdir / name).stat().st_mtime_ns for name in ("decisions.json", "predictions.jsonl")]
    again = ask(copied, "export", "--abstain_precision=0.9", "--json")
    assert json.loads(again.out)["export"]["reused"] and "evaluating" not in again.err
    assert [(copied.workdir / name).stat().st_mtime_ns for name in ("decisions.json", "predictions.jsonl")] == stamps


def test_decisions_of_other_weights_are_not_taken(copied, tmp_path):
    saved = json.loads((copied.workdir / "decisions.json").read_text())
    saved["fitted_for"]["weights"] = "others"
    saved["decisions"]["temperature"] = 7.0
    (copied.workdir / "decisions.json").write_text(json.dumps(saved))
    (tmp_path / "texts.txt").write_text("a great film\n")
    done = ask(copied, "predict", f"--predict_input={tmp_path}/texts.txt", f"--predict_output={tmp_path}/out.jsonl")
    assert done.code == 0 and "evaluating dev" in done.err and lines(tmp_path / "out.jsonl")[0]["score"] > 0.8


@pytest.mark.parametrize(
    "flags, said",
    [
        (["--abstain_precision=0.99"], "120 dev rows cannot show it, it takes 299 or more"),
        (["--abstain_precision=0.974"], "no threshold shows it on the 120 dev rows; the best is 0."),
        (["--abstain_precision=1"], "--abstain_precision=1.0: allowed is 0.0 to 0.999"),
        (["--abstain_per_label"], "--abstain_per_label says nothing without --abstain_precision"),
        (["--calibration=platt"], "--calibration=platt: allowed is temperature, none"),
    ],
)
def test_mistakes_change_nothing(copied, flags, said):
    files = {path: path.read_bytes() for path in copied.workdir.glob("*.json*")}
    for mode in ("evaluate", "export"):
        done = ask(copied, mode, *flags)
        assert done.code == 2 and said in done.error()
    assert {path: path.read_bytes() for path in copied.workdir.glob("*.json*")} == files


def test_a_precision_that_dev_cannot_show_is_refused_before_training(doubtful, tmp_path):
    done = run_main(*doubtful.flags, f"--workdir={tmp_path / 'run'}", "--abstain_precision=0.99")
    assert done.code == 2 and "dev rows cannot show it" in done.error() and not (tmp_path / "run").exists()
