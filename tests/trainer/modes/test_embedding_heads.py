"""Heads that learn vectors, from data sets of pairs beside one of labels: the whole road, and mistakes before it."""

import json

import numpy as np
import pytest

from serving.contract import check_proven, read_contract
from tests import tiny_reviews
from tests.commands import run_main
from tests.task_walks import belonging, scored_pairs
from tests.trainer.modes.test_seeing import tensors
from tests.walked import LEARN

ROWS = {"train": 96, "dev": 20, "test": 20}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder of three data sets: labels; pairs with texts that do not belong to them; scores of pairs."""
    folder = tmp_path_factory.mktemp("sets")
    for seed, (split, count) in enumerate(ROWS.items()):
        tiny_reviews.write(folder / f"labels/{split}.jsonl", tiny_reviews.rows(count, seed), ("text", "label"))
        rows = [(text, answer, "see the plot" * (row % 2)) for row, (text, answer) in enumerate(belonging(count, seed))]
        tiny_reviews.write(folder / f"pairs/{split}.jsonl", rows, ("text", "answer", "other"))
        tiny_reviews.write(folder / f"scores/{split}.jsonl", scored_pairs(count, seed), ("text", "pair", "score"))
    return folder


def heads(data, near="", alike=""):
    return (
        f"--heads=mood: --data={data}/labels; near: --task=embedding --data={data}/pairs --text_pair_column=answer "
        f"--negative_column=other --pooling=first {near}; alike: --task=embedding --data={data}/scores "
        f"--embedding_loss=score --text_pair_column=pair --label_column=score --score_range=0,5 {alike}"
    )


def train(folder, encoder, given, *flags):
    words = ("--task=multi", given, f"--encoder={encoder}", f"--workdir={folder}/run", "--sequence_length=24")
    return run_main(*words, "--window_overlap=4", *LEARN[2:], "--mixing_temperature=2", *flags)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_embeddings_beside_labels_go_the_whole_road(data, bert_folder, tmp_path):
    done = train(tmp_path, bert_folder, heads(data, "--loss_weight=0.2"), "--epochs=8", "--json")
    assert done.code == 0, done.err
    results = json.loads(done.out)
    test, losses = results["test"], [each["loss"] for each in results["train"]["evaluations"]]
    assert {"mood_accuracy", "near_mrr_at_10", "near_recall_at_1", "alike_spearman", "alike_pearson"} <= test.keys()
    best = [test[name] for name in ("mood_accuracy", "near_mrr_at_10", "alike_spearman")]
    assert test["mean_quality"] == pytest.approx(np.mean(best)) and min(losses[1:]) < losses[0]
    assert test["loss"] == pytest.approx(test["mood_loss"] + 0.2 * test["near_loss"] + test["alike_loss"])
    version = results["export"]["version_dir"]
    assert check_proven(version)["max_difference"] < 1e-5
    assert read_contract(version)["heads"]["alike"]["dimensions"] == 8

    rows = [json.loads(line) for line in (tmp_path / "run/predictions.jsonl").read_text().splitlines()]
    assert [list(row["true_heads"]) for row in rows] == [["mood", "alike"]] * 20 + [["near"]] * 20  # of the same texts
    assert all(len(row[name]["embedding"]) == 8 for row in rows for name in ("near", "alike"))
    assert not any("nearest_row" in row["near"] for row in rows[:20])
    assert all(20 <= row["near"]["nearest_row"] < 40 for row in rows[20:])
    assert all(-5 <= row["alike"]["value"] <= 5.001 for row in rows[:20])
    shown = tensors(tmp_path / "run/tensorboard/dev")[0]
    wanted = {"mood/pictures/confusion", "near/pictures/found", "near/worst_mistakes", "alike/pictures/scores"}
    assert wanted <= shown.keys()
    page = (tmp_path / "run/report.html").read_text()
    assert "near: " in page and "alike: " in page and "not hold the rows" not in page


@pytest.mark.parametrize(
    "near, alike, flags, said",
    [
        ("--matryoshka=9", "", (), "--heads, near: --matryoshka=9: the encoder's vectors have 8 dimensions; 9 is more"),
        ("--text_pair_column=answr", "", (), "no column 'answr'; did you mean 'answer'?"),
        ("", "--score_range=0,1", (), "is out of bounds; --score_range=0,1 allows 0 to 1"),
        ("--class_weights=balanced", "", (), "--class_weights=balanced: pairs of texts have no classes"),
        ("", "", ("--faq=faq.csv",), "--faq=faq.csv: --task=multi answers no search; --task=embedding alone does"),
        ("", "", ("--text_pair_column=answer",), "--text_pair_column: --task=multi takes one text a row; leave it out"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(data, bert_folder, tmp_path, near, alike, flags, said):
    done = train(tmp_path, bert_folder, heads(data, near, alike), *flags)
    assert done.code == 2 and said in done.error() and not (tmp_path / "run").exists()
