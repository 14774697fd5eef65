"""Runs whose head is fitted: by rows, by descriptions, without dev rows; and every mistake of theirs in one line."""

import json

import numpy as np
import pytest

from serving.contract import check_proven, read_contract
from serving.exchange import strings
from serving.loader import ServedVersion
from tests import tiny_reviews
from tests.commands import run_main
from trainer.config import Config
from trainer.modes import job
from trainer.modes.workdir import Workdir
from trainer.tasks.embedding_losses import SCALE

DESCRIBED = [("good", "very good film"), ("good", "a bright plot"), ("bad", "an awful plot"), ("bad", "a dull film")]


def described(path, rows=DESCRIBED):
    return tiny_reviews.write(path, rows, ("label", "description"))


def zero_shot(folder, encoder, *flags):
    told = (f"--encoder={encoder}", "--learning=zero_shot", "--epochs=0", "--sequence_length=32", "--json")
    return run_main(*told, f"--workdir={folder}/run", f"--label_descriptions={folder}/labels.csv", *flags)


@pytest.fixture
def folder(tmp_path):
    described(tmp_path / "labels.csv")
    return tmp_path


def version_of(done):
    assert done.code == 0, done.err
    return json.loads(done.out)["export"]["version_dir"]


def probabilities(version, texts):
    """What the version says, and what the cosines to the mean of each label's descriptions make of it."""
    with ServedVersion(version) as served:
        given = served.run("serving_default", {"text": strings(texts)})
        vectors = served.run("embed", {"text": strings(texts)})["embedding"]
        own = served.run("embed", {"text": strings([text for _, text in DESCRIBED])})["embedding"]
    means = np.stack([own[2:].sum(axis=0), own[:2].sum(axis=0)])  # bad, good
    logits = SCALE * vectors @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T
    return given, logits


@pytest.mark.slow
def test_descriptions_alone_make_a_version(folder, bert_folder):
    done = zero_shot(folder, bert_folder, "--calibration=none")
    version, texts = version_of(done), ["a good film !", "dull", "", "see the plot"]
    assert check_proven(version)["accepted"] and "the training rows stand in" in done.err
    contract = read_contract(version)
    assert contract["task"] == "classification" and contract["labels"] == ["bad", "good"]
    given, logits = probabilities(version, texts)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(given["probabilities"], expected, atol=1e-4)
    assert [each.decode() for each in given["label"]] == [("bad", "good")[best] for best in logits.argmax(axis=1)]


@pytest.mark.slow
def test_labelled_rows_judge_it_and_fit_the_temperature(folder, bert_folder):
    rows = [(text, {"positive": "good", "negative": "bad"}[label]) for text, label in tiny_reviews.rows(40)]
    for split in ("train", "dev", "test"):
        tiny_reviews.write(folder / "data" / f"{split}.jsonl", rows)
    version = version_of(zero_shot(folder, bert_folder, f"--data={folder}/data"))
    results = json.loads((folder / "run/results.json").read_text())
    temperature = read_contract(version)["decisions"]["temperature"]
    given, logits = probabilities(version, [text for text, _ in rows])
    expected = np.exp(logits / temperature) / np.exp(logits / temperature).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(given["probabilities"], expected, atol=1e-4)
    right = np.mean(
        [("bad", "good")[best] == label for best, (_, label) in zip(logits.argmax(axis=1), rows, strict=True)]
    )
    assert temperature != 1 and results["test"]["accuracy"] == pytest.approx(right)


@pytest.mark.parametrize(
    "rows, said",
    [
        ([("good", "film"), ("bad", " ")], "labels.csv:3: "),
        ([("good", "a film"), ("bad", "a  film")], "labels.csv:3: 'good' and 'bad' have one description"),
        ([("good", "film"), ("", "plot")], "labels.csv:3: "),
        ([("good", "film"), ("good", "plot")], "labels.csv: every row has the label 'good'"),
        ([("good", "film"), ("bad", "plot")], "dev.csv:2: label 'positive' of dev has no description in "),
    ],
)
def test_bad_descriptions(tmp_path, bert_folder, rows, said):
    described(tmp_path / "labels.csv", rows)
    for split in ("train", "dev"):
        tiny_reviews.write(tmp_path / "data" / f"{split}.csv", tiny_reviews.rows(8))
    done = zero_shot(tmp_path, bert_folder, f"--data={tmp_path}/data")
    assert done.code == 2 and said in done.error() and done.err.count("error:") == 1, done.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "flags, said",
    [
        (["--epochs=1"], "--epochs=1: --learning=zero_shot trains nothing; give --epochs=0"),
        (["--learning=few_shot"], "--learning=few_shot has none; leave it out, or give zero_shot"),
        (["--label_descriptions="], "--label_descriptions is empty: --learning=zero_shot answers by them"),
        (["--label_descriptions=none.csv"], "--label_descriptions=none.csv: no such file"),
        (["--task=regression"], "--learning=zero_shot: --task=regression is learned by fine-tuning alone"),
        (["--label_smoothing=0.1"], "--label_smoothing=0.1: the head of --learning=zero_shot has none"),
        (["--text_pair_column=other"], "--text_pair_column: --learning=zero_shot takes one text a row"),
        (["--class_weights=balanced"], "--class_weights=balanced: --learning=zero_shot has none"),
        (
            ["--out_of_scope=distance"],
            "--out_of_scope_data measure from labelled texts, of which --learning=zero_shot has",
        ),
        (["--learning=one_shot"], "allowed is fine_tuning, few_shot, zero_shot"),
        ([], "no dev rows: give some"),
    ],
)
def test_flags_that_do_not_go_together(folder, bert_folder, flags, said):
    done = zero_shot(folder, bert_folder, *flags)
    assert done.code == 2 and said in done.error(), done.err
    assert not (folder / "run").exists()


@pytest.mark.slow
def test_few_shot_tells_texts_out_of_scope_by_their_distance(tmp_path, bert_folder):
    for seed, split in enumerate(("train", "dev")):
        tiny_reviews.write(tmp_path / "data" / f"{split}.csv", tiny_reviews.rows(24, seed))
    flags = [f"--data={tmp_path}/data", f"--encoder={bert_folder}", f"--workdir={tmp_path}/run", "--sequence_length=32"]
    flags += ["--learning=few_shot", "--batch_size=8", "--pair_passes=1", "--epochs=2", "--learning_rate=1e-2"]
    done = run_main(*flags, "--out_of_scope=distance", "--proof_texts=8", "--json")
    assert done.code == 0, done.err
    contract = read_contract(json.loads(done.out)["export"]["version_dir"])
    assert contract["learning"] == "few_shot" and contract["out_of_scope"].endswith("it abstains")
    assert "out_of_scope" in contract["signatures"]["serving_default"]["outputs"]


def test_a_few_rows_are_all_learned_from(tmp_path, bert_folder):
    tiny_reviews.write(tmp_path / "train.csv", tiny_reviews.rows(12))
    flags = [f"--data={tmp_path}", f"--encoder={bert_folder}", f"--workdir={tmp_path}/run", "--sequence_length=32"]
    flags += ["--learning=few_shot", "--dev_fraction=0", "--calibration=none", "--batch_size=8", "--pair_passes=2"]
    done = run_main(*flags, "--epochs=3", "--learning_rate=1e-2", "--noexport", "--json")
    assert done.code == 0, done.err
    train = json.loads(done.out)["train"]
    assert train["steps"] == 9 and [each["step"] for each in train["evaluations"]] == [3, 6, 9]


def test_encoder_and_head_are_those_of_the_best_step(walked):
    """The steps moved the encoder, and the head is scikit-learn's for the vectors of that encoder."""
    walk = walked("few_shot")
    given = dict(flag.removeprefix("--").split("=", 1) for flag in walk.flags)
    numbers = {name: int(given[name]) for name in ("sequence_length", "epochs", "batch_size", "pair_passes")}
    config = Config.from_flat(given | numbers | {"learning_rate": float(given["learning_rate"])})
    trained, corpus = job.Trained(config, Workdir(walk.workdir)), job.read_corpus(config)
    vectors, _ = trained.vectors(trained.rows(corpus.splits.train, "train"), "train")
    kernel, bias = trained.task.head_of(vectors, trained.task.targets(corpus.splits.train.labels))
    found, shift = trained.model.get_layer("logits").get_weights()
    np.testing.assert_allclose(found, kernel, atol=2e-2)
    np.testing.assert_allclose(shift, bias, atol=2e-2)
    before = trained.task.build(job.open_encoder(config)).get_weights()
    moved = [np.abs(a - b).max() for a, b in zip(before, trained.model.get_weights(), strict=True)]
    assert max(moved) > 1e-2
