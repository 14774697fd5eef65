"""Pairs of texts, classes that weigh differently, one file that is split: the whole way once more."""

import json

import numpy as np
import pytest

from serving.loader import ServedVersion
from tests import tiny_reviews
from tests.commands import run_main
from tests.trainer.modes.conftest import LEARN
from trainer.config import Config
from trainer.modes import job
from trainer.modes.rows import make_rows

pytestmark = pytest.mark.slow  # embedding and span_qa walk over pairs in tests/test_tasks.py
COLUMNS = ("first text", "#2 text", "same?")


@pytest.fixture(scope="module")
def run(bert_folder, tmp_path_factory):
    """(flags, workdir, results) of a run over pairs."""
    folder = tmp_path_factory.mktemp("pairs")
    data = tiny_reviews.write(folder / "pairs.jsonl", tiny_reviews.pairs(160), COLUMNS)
    flags = [
        *(f"--encoder={bert_folder}", f"--data={data}", f"--workdir={folder}/run", *LEARN, "--epochs=2"),
        *(f"--text_column={COLUMNS[0]}", f"--text_pair_column={COLUMNS[1]}", f"--label_column={COLUMNS[2]}"),
        *("--class_weights=same=2.5", "--test_fraction=0.2", "--evaluations_per_epoch=2", "--early_stopping=3"),
    ]
    done = run_main(*flags, "--json")
    assert done.code == 0, done.err
    return flags, folder / "run", json.loads(done.out)


def test_it_trains_on_what_is_not_held_out(run):
    _, workdir, results = run
    manifest = json.loads((workdir / "manifest.json").read_text())
    assert manifest["data"]["labels"] == ["other", "same"]
    rows = manifest["data"]["rows"]
    assert sum(rows.values()) == 160 and 28 <= rows["test"] <= 34 and 12 <= rows["dev"] <= 18
    assert set(results["test"]) == {"accuracy", "macro_f1", "loss"}


def test_both_texts_are_served(run):
    _, workdir, results = run
    lines = [json.loads(line) for line in (workdir / "predictions.jsonl").read_text().splitlines()]
    assert all(line["text_pair"] for line in lines)
    inputs = {
        name: np.array([line[key].encode() for line in lines], object)
        for name, key in (("text", "text"), ("text_pair", "text_pair"))
    }
    with ServedVersion(results["export"]["version_dir"]) as version:
        answers = version.run("serving_default", inputs)
    assert [label.decode() for label in answers["label"]] == [line["label"] for line in lines]
    np.testing.assert_allclose(answers["score"], [line["score"] for line in lines], atol=1e-4)


def test_pairs_are_predicted_from_a_file(run, tmp_path):
    flags, _, _ = run
    path = tiny_reviews.write(tmp_path / "new.csv", tiny_reviews.pairs(9, seed=5), COLUMNS)
    done = run_main(
        *flags, "--mode=predict", f"--predict_input={path}", f"--predict_output={tmp_path}/out.jsonl", "--json"
    )
    assert done.code == 0 and json.loads(done.out)["texts"] == 9
    (tmp_path / "texts.txt").write_text("a film\n")
    done = run_main(*flags, "--mode=predict", f"--predict_input={tmp_path}/texts.txt")
    assert done.code == 2 and "has only texts, no columns" in done.error()


def test_classes_weigh_in_the_loss_of_training_alone(bert_folder, tmp_path):
    texts = tiny_reviews.write(tmp_path / "texts.tsv", tiny_reviews.rows(40))
    config = Config.from_flat(
        {"encoder": str(bert_folder), "data": str(texts), "class_weights": "negative=2.5", "sequence_length": 24}
    )
    corpus = job.read_corpus(config)
    task, encoder = job.make_task(config, corpus.learned, corpus.class_weights), job.open_encoder(config)
    rows = {
        name: make_rows(config, task, encoder.preprocessor, table, name, train=name == "train")
        for name, table in corpus.splits.named().items()
    }
    labels = corpus.splits.train.labels
    assert rows["train"].weights.tolist() == [2.5 if label == "negative" else 1.0 for label in labels]
    assert set(rows["dev"].weights) == {1.0}
