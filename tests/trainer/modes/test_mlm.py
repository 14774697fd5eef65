"""Pre-training over the whole road: texts in, an encoder folder out, and a classifier that stands on it."""

import dataclasses
import json
import pathlib
import shutil

import numpy as np
import pytest

from tests import task_walks, tiny_encoders, tiny_reviews
from tests.commands import run_main
from trainer import flags as flags_lib
from trainer.models.encoder import load_encoder
from trainer.modes import job
from trainer.modes.workdir import Workdir

LEARN = ("--sequence_length=24", "--batch_size=8", "--epochs=2", "--learning_rate=1e-2", "--precision=float32")


@dataclasses.dataclass(frozen=True)
class Run:
    source: pathlib.Path
    workdir: pathlib.Path
    flags: tuple
    result: dict


def write_texts(folder):
    folder.mkdir(parents=True)
    for seed, (split, count) in enumerate({"train": 64, "dev": 24}.items()):
        lines = [text for (text,) in task_walks.echoes(count, seed)]
        (folder / f"{split}.txt").write_text("\n\n".join(lines) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A pre-training run of the real command over .txt files with blank lines in them; leave its files as they are."""
    folder = tmp_path_factory.mktemp("mlm")
    source = tiny_encoders.bert_folder(folder / "source")
    (source / "source.json").write_text(json.dumps({"package": "tiny", "licence": "CC0-1.0"}))
    (source / "LICENSE").write_text("public domain")
    flags = ("--task=mlm", f"--data={write_texts(folder / 'data')}", f"--encoder={source}", *LEARN)
    done = run_main(*flags, f"--workdir={folder}/reviews", "--json")
    assert done.code == 0, done.err
    assert "128" not in done.out and "note: " in done.err and "rows without text are left out" in done.err
    return Run(source, folder / "reviews", flags, json.loads(done.out.splitlines()[-1]))


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def vectors(encoder):
    features, _ = encoder.preprocessor(["the film is great", "中国 dull"])
    return encoder.backbone(features, training=False)["sequence_output"].numpy()


def test_the_folder_is_the_encoder_that_was_trained(run):
    config = flags_lib.parse([*run.flags, f"--workdir={run.workdir}"])
    trained = job.Trained(config, Workdir(run.workdir))
    given, source = load_encoder(str(run.workdir / "encoder"), "", 24), load_encoder(str(run.source), "", 24)
    np.testing.assert_allclose(vectors(given), vectors(trained.encoder), atol=1e-6)
    assert np.abs(vectors(given) - vectors(source)).max() > 0.1, "training must have moved the weights"
    assert given.has_pooler and given.preprocessor.fingerprint == source.preprocessor.fingerprint
    assert (given.name, given.licence) == ("reviews", "CC0-1.0")
    kept = json.loads((run.workdir / "encoder/source.json").read_text())
    assert kept["from"] == {"name": "tiny", "revision": source.revision} and kept["step"] > 0
    assert (run.workdir / "encoder/LICENSE").read_text() == "public domain"


def test_the_loss_falls_and_the_best_weights_are_those_of_the_lowest(run):
    evaluations = run.result["train"]["evaluations"]
    losses = [each["loss"] for each in evaluations]
    assert losses[-1] < losses[0]
    assert run.result["dev"]["loss"] == pytest.approx(min(losses), abs=1e-5)
    assert run.result["dev"]["perplexity"] == pytest.approx(np.exp(min(losses)), rel=1e-4)


@pytest.mark.slow
def test_a_classifier_learns_from_it_and_is_proven(run, tmp_path):
    reviews = {"train": tiny_reviews.rows(64, 1), "dev": tiny_reviews.rows(24, 2)}
    for split, rows in reviews.items():
        tiny_reviews.write(tmp_path / "data" / f"{split}.csv", rows)
    flags = (f"--data={tmp_path}/data", f"--encoder={run.workdir}/encoder", *LEARN, "--proof_texts=8")
    done = run_main(*flags, f"--workdir={tmp_path}/run", "--json")
    assert done.code == 0, done.err
    result = json.loads(done.out.splitlines()[-1])
    assert result["export"]["max_difference"] < 1e-5
    contract = json.loads((pathlib.Path(result["export"]["version_dir"]) / "contract.json").read_text())
    assert (contract["encoder"]["name"], contract["encoder"]["licence"]) == ("reviews", "CC0-1.0")


def test_pre_training_goes_on_from_it_with_its_head(run, tmp_path):
    flags = [flag for flag in run.flags if not flag.startswith("--encoder")]
    done = run_main(*flags, f"--encoder={run.workdir}/encoder", f"--workdir={tmp_path}/more", "--json", "--epochs=1")
    assert done.code == 0, done.err
    first, more = run.result["train"]["evaluations"], json.loads(done.out.splitlines()[-1])["train"]["evaluations"]
    assert more[0]["loss"] < first[0]["loss"]


def test_the_folder_is_written_by_export_and_never_half(run, tmp_path):
    copied = pathlib.Path(shutil.copytree(run.workdir, tmp_path / "reviews"))
    shutil.rmtree(copied / "encoder")
    (copied / ".encoder-1").mkdir()  # of a run that was killed while it wrote
    (copied / ".encoder-1/config.json").write_text("{")
    for _ in range(2):
        done = run_main(*run.flags, f"--workdir={copied}", "--mode=export", "--json")
        assert done.code == 0, done.err
        assert files_of(copied / "encoder") == files_of(run.workdir / "encoder")
    assert not list(copied.glob(".encoder-*"))
    assert json.loads(done.out)["export"]["encoder_dir"] == str(copied / "encoder")


def test_evaluate_plan_and_compare_know_it(run, tmp_path):
    done = run_main(*run.flags, f"--workdir={run.workdir}", "--mode=evaluate", "--json")
    assert done.code == 0 and json.loads(done.out)["dev"] == pytest.approx(run.result["dev"])
    assert not (run.workdir / "predictions.jsonl").exists() and not (run.workdir / "export").exists()
    plan = run_main(*run.flags, "--mode=plan", "--json")
    assert plan.code == 0 and json.loads(plan.out)["rows"] == {"train": 64, "dev": 24}
    other = run_main(*run.flags, "--seed=7", f"--workdir={tmp_path}/other", "--noexport", "--json")
    assert other.code == 0 and not (tmp_path / "other/encoder").exists()
    both = run_main("--mode=compare", f"--compare={run.workdir},{tmp_path}/other", "--json")
    assert both.code == 0 and len(json.loads(both.out)["metrics"]["dev perplexity"]) == 2, both.err


def test_the_report_speaks_of_masked_words_and_not_of_a_version(run):
    page = (run.workdir / "report.html").read_text("utf-8")
    assert "perplexity of masked words" in page and "Perplexity of masked words" in page and "an encoder" in page
    for foreign in ("Worst mistakes", "Proof of the served", "Label by label", "no version to serve", "not hold"):
        assert foreign not in page


@pytest.mark.parametrize(
    "flags, said",
    [
        (
            ("--mode=predict", "--predict_input=x.txt"),
            "--mode=predict: --task=mlm makes an encoder, which answers noth",
        ),
        (("--class_weights=balanced",), "--class_weights=balanced: texts without labels have no classes; give"),
        (("--label_smoothing=0.1",), "--label_smoothing=0.1: --task=mlm has none; leave it out"),
        (("--mask_share=0",), "--mask_share=0.0: allowed is 0.01 to 0.9"),
        (("--segments=both",), "--segments=both: allowed is none, nsp, sop"),
        (("--segments=nsp", "--task=classification"), "--segments=nsp: --task=classification learns nothing of them"),
        (("--metric=accuracy",), "--metric=accuracy: --task=mlm has loss, masked_accuracy"),
        (("--text_column=body", "--data={folder}/rows.csv"), "rows.csv:1: no column 'body'"),
        (("--data={folder}/blank.txt",), "blank.txt: no row holds a text; there is nothing to learn from"),
        (("--task=classification",), "dev.txt: a .txt file has only texts, no columns"),
        (("--encoder={folder}/maskless",), "--task=mlm: maskless: the vocabulary of 46 tokens has no '[MASK]'"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(run, tmp_path, flags, said):
    tiny_reviews.write(tmp_path / "rows.csv", tiny_reviews.rows(8))
    (tmp_path / "blank.txt").write_text("\n \n")
    vocabulary = [token for token in tiny_encoders.VOCABULARY if token != "[MASK]"]
    tiny_encoders.bert_folder(tmp_path / "maskless", vocabulary=vocabulary)
    given = (flag.format(folder=tmp_path) for flag in flags)
    done = run_main(*run.flags, f"--workdir={tmp_path}/run", *given)
    assert done.code == 2 and done.out == "" and done.err.count("error: -") + done.err.count("error: /") == 1
    assert said in done.err.splitlines()[-1], done.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("segments", ["nsp", pytest.param("sop", marks=pytest.mark.slow)])
def test_segments_in_order_teach_the_pooler_too(run, tmp_path, segments):
    source = tiny_encoders.bert_folder(tmp_path / "source", pooler=False)
    assert not load_encoder(str(source), "", 24).has_pooler
    given = (f"--segments={segments}", f"--encoder={source}", f"--workdir={tmp_path}/run", "--json")
    done = run_main(*run.flags, *given)
    assert done.code == 0, done.err
    found = json.loads(done.out.splitlines()[-1])
    evaluations = found["train"]["evaluations"]
    assert evaluations[-1]["loss"] < evaluations[0]["loss"] and "order_accuracy" in evaluations[0]
    assert found["dev"]["loss"] > np.log(found["dev"]["perplexity"]) + 0.1  # that of the order is in it
    made = load_encoder(str(tmp_path / "run/encoder"), "", 24)
    assert made.has_pooler and made.backbone.get_layer("pooled_dense").kernel.numpy().std() > 0.01
    assert "order told right" in (tmp_path / "run/report.html").read_text("utf-8")


@pytest.mark.parametrize("kind", ["distilbert", "roberta", "keras_hub"])
@pytest.mark.slow
def test_every_kind_of_encoder_is_handed_over(run, tmp_path, kind):
    folder = getattr(tiny_encoders, f"{kind}_folder")(tmp_path / kind)
    done = run_main(*run.flags, f"--encoder={folder}", f"--workdir={tmp_path}/run", "--json")
    assert done.code == 0, done.err
    given = load_encoder(str(tmp_path / "run/encoder"), "", 24)
    assert given.revision == json.loads(done.out.splitlines()[-1])["export"]["revision"]
