"""From the flags of texts out of scope to results, predictions, report and the served answers."""

import dataclasses
import json
import pathlib
import shutil

import numpy as np
import pytest

from serving.client import Client
from serving.contract import read_contract
from serving.release.publish import publish
from tests import tiny_reviews
from tests.commands import run_main
from tests.serving.server.running import Server
from tests.trainer.modes.conftest import LEARN, Trained

SCORES = ("max_softmax", "energy", "distance")


def far_texts(count, seed=0):
    """[(text,), …] without a word of praise or blame."""
    draw = np.random.default_rng(seed)
    return [
        (" ".join([*draw.choice(("plot", "film", "a", "life", "see"), 3 + row % 4), "x" * row]),)
        for row in range(count)
    ]


@pytest.fixture(scope="module")
def scoped(bert_folder, tmp_path_factory):
    """A run that decides by distance, with texts out of scope for dev and test. Leave its files as they are."""
    folder = tmp_path_factory.mktemp("scoped")
    tiny_reviews.write_doubtful(folder / "data")
    for seed, name in enumerate(("far_dev", "far_test")):
        tiny_reviews.write(folder / f"{name}.jsonl", far_texts(30, seed), ("text",))
    flags = (f"--encoder={bert_folder}", f"--data={folder / 'data'}", *LEARN, "--model_name=tiny")
    beside = (f"--out_of_scope_data={folder}/far_dev.jsonl", f"--out_of_scope_test={folder}/far_test.jsonl")
    asked = ("--out_of_scope=distance", *beside, "--json")
    return Trained(folder / "run", (*flags, *beside), run_main(*flags, *asked, f"--workdir={folder / 'run'}"))


@pytest.fixture
def copied(scoped, tmp_path):
    return dataclasses.replace(scoped, workdir=pathlib.Path(shutil.copytree(scoped.workdir, tmp_path / "copied")))


def ask(run, mode, *more):
    return run_main(*run.flags, f"--workdir={run.workdir}", f"--mode={mode}", *more)


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def version_of(run):
    return next((run.workdir / "export").glob("[!.]*"))


def test_results_say_how_well_each_score_tells_them(scoped):
    assert scoped.done.code == 0, scoped.done.err
    found = scoped.results["decisions"]["out_of_scope"]
    assert json.loads(scoped.done.out)["decisions"]["out_of_scope"] == found and found["score"] == "distance"
    for split in ("dev", "test"):
        apart = found["told_apart"][split]
        assert tuple(apart["auroc"]) == SCORES == tuple(apart["fpr_at_95"]) and apart["texts"] == 30
        assert all(0 <= value <= 1 for value in (*apart["auroc"].values(), *apart["fpr_at_95"].values()))
        assert sum(apart["histogram"]["out_of_scope"]) == 30 and sum(apart["histogram"]["in_scope"]) == 120
    predicted = lines(scoped.workdir / "predictions.jsonl")
    assert [line["abstain"] for line in predicted] == [line["out_of_scope"] > found["limit"] for line in predicted]
    assert np.mean([not line["abstain"] for line in predicted]) == found["kept"]["test"]


def test_the_version_says_what_it_answers_and_is_proven(scoped):
    contract, found = read_contract(version_of(scoped)), scoped.results["decisions"]["out_of_scope"]
    outputs = contract["signatures"]["serving_default"]["outputs"]
    assert outputs["out_of_scope"] == {"dtype": "float32", "shape": [None]} and "abstain" in outputs
    assert contract["decisions"]["out_of_scope"] == "distance"
    assert contract["decisions"]["out_of_scope_limit"] == found["limit"]
    assert "larger is further out" in contract["out_of_scope"]
    proof = json.loads((version_of(scoped) / "proof.json").read_text())
    assert proof["accepted"] and 0 <= proof["out_of_scope"]["max_difference"] <= 1e-4
    card = (version_of(scoped) / "model_card.md").read_text("utf-8")
    assert "**Out of scope:** `out_of_scope` (distance) grows" in card and "| dev | distance |" in card


def test_the_report_shows_it(scoped):
    page = (scoped.workdir / "report.html").read_text("utf-8")
    assert "Texts out of scope" in page and "Texts in and out of scope by their score, test" in page
    assert "decides otherwise" not in page


def test_the_client_answers_as_predict_does(scoped, tmp_path):
    published = publish(version_of(scoped), tmp_path / "models" / "tiny")
    assert published
    asked = tmp_path / "texts.jsonl"
    rows = [*far_texts(20, 5), *((text,) for text, _ in tiny_reviews.rows(20, 7))]
    tiny_reviews.write(asked, rows, ("text",))
    out = tmp_path / "out.jsonl"
    done = run_main(
        *scoped.flags,
        *(f"--workdir={scoped.workdir}", "--mode=predict", "--out_of_scope=distance"),
        *(f"--predict_input={asked}", f"--predict_output={out}"),
    )
    assert done.code == 0 and "evaluating dev" not in done.err, done.err
    with Server(tmp_path / "models" / "tiny", "--port=0", "--engine=embedded") as server:
        with Client(server.ready()["grpc"], "tiny", deadline=120) as client:
            results = client.predict([text for (text,) in rows])
        assert server.stop() == 0
    for result, row in zip(results, lines(out), strict=True):
        assert result.out_of_scope == pytest.approx(row["out_of_scope"], abs=1e-4)
        assert (result.label, result.abstain) == (row["label"], row["abstain"])
        assert result.to_dict()["out_of_scope"] == result.out_of_scope


def test_another_score_and_limit_need_no_training(copied):
    before = copied.results
    done = ask(copied, "evaluate", "--out_of_scope=energy", "--in_scope_kept=0.8")
    assert done.code == 0 and "energy above" in done.out and "AUROC" in done.out, done.err
    found = copied.results["decisions"]["out_of_scope"]
    was = before["decisions"]["out_of_scope"]["told_apart"]["test"]["auroc"]
    assert found["score"] == "energy" and 0.8 <= found["kept"]["dev"] < 0.9
    assert found["told_apart"]["test"]["auroc"] == pytest.approx(was, abs=1e-6)
    assert {split: copied.results[split] for split in ("dev", "test")} == {s: before[s] for s in ("dev", "test")}
    page = (copied.workdir / "report.html").read_text("utf-8")
    assert "decides otherwise" in page, "the exported version still decides by distance"


def test_both_kinds_of_abstaining(copied):
    assert ask(copied, "evaluate", "--out_of_scope=distance", "--abstain_precision=0.8").code == 0
    found = copied.results["decisions"]
    for line in lines(copied.workdir / "predictions.jsonl"):
        low, far = line["score"] < found["abstain"]["threshold"], line["out_of_scope"] > found["out_of_scope"]["limit"]
        assert line["abstain"] == (low or far)


def test_without_the_flag_nothing_is_there(copied):
    plain = [flag for flag in copied.flags if "out_of_scope" not in flag]
    done = run_main(*plain, f"--workdir={copied.workdir}", "--mode=evaluate")
    assert done.code == 0 and "out_of_scope" not in copied.results["decisions"]
    assert not {"out_of_scope", "abstain"} & lines(copied.workdir / "predictions.jsonl")[0].keys()


def test_other_texts_are_another_limit(copied, tmp_path):
    """The same flags over a file that has changed: what was decided by the old one is not taken."""
    far = tiny_reviews.write(tmp_path / "far.jsonl", far_texts(30, 3), ("text",))
    (tmp_path / "one.txt").write_text("a great film\n")
    plain = [flag for flag in copied.flags if "out_of_scope" not in flag]
    asked = (f"--out_of_scope_data={far}", "--out_of_scope=energy", f"--workdir={copied.workdir}")
    predict = ("--mode=predict", f"--predict_input={tmp_path}/one.txt", f"--predict_output={tmp_path}/out.jsonl")
    assert run_main(*plain, *asked, "--mode=evaluate").code == 0
    assert "evaluating dev" not in run_main(*plain, *asked, *predict).err
    tiny_reviews.write(far, far_texts(30, 4), ("text",))
    (tmp_path / "out.jsonl").unlink()
    assert "evaluating dev" in run_main(*plain, *asked, *predict).err


@pytest.mark.parametrize(
    "rows, flag, said",
    [
        ([("new",), ("a plot",)], "data", "far.csv:3: this text of --out_of_scope_data is "),
        ([("new",), ("a plot",)], "test", "with the label '"),
        ([("plot plot",)], "both", "far.csv:2: this text of --out_of_scope_test is "),
        ([], "data", "far.csv: holds no rows"),
    ],
)
def test_mistakes_are_said_before_training(scoped, tmp_path, rows, flag, said):
    far = tiny_reviews.write(tmp_path / "far.csv", rows, ("text",))
    flags = [each for each in scoped.flags if "out_of_scope" not in each]
    given = [f"--out_of_scope_{each}={far}" for each in (("data", "test") if flag == "both" else (flag,))]
    done = run_main(*flags, *given, "--out_of_scope=energy", f"--workdir={tmp_path}/run")
    assert done.code == 2 and said in done.error() and done.err.count("error:") == 1
    assert not (tmp_path / "run").exists()
