"""Vectors learned from how alike two texts are: the whole road, in the unit of the scores, and mistakes before it."""

import json

import pytest

from serving.contract import check_proven
from tests import tiny_reviews
from tests.commands import run_main
from tests.task_walks import scored_pairs
from tests.walked import LEARN

FLAGS = ("--task=embedding", "--embedding_loss=score", "--score_range=0,5", "--text_pair_column=pair")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scored")
    for seed, (split, count) in enumerate({"train": 96, "dev": 40, "test": 40}.items()):
        tiny_reviews.write(folder / f"{split}.jsonl", scored_pairs(count, seed), ("text", "pair", "label"))
    return folder


def train(folder, data, encoder, *flags):
    return run_main(*FLAGS, f"--data={data}", f"--encoder={encoder}", f"--workdir={folder}/run", *LEARN, *flags)


@pytest.mark.slow
def test_scores_go_the_whole_road(data, bert_folder, tmp_path):
    done = train(tmp_path, data, bert_folder, "--json")
    assert done.code == 0, done.err
    results = json.loads(done.out)
    losses = [each["loss"] for each in results["train"]["evaluations"]]
    # of 40 rows in any order a correlation of 0.31 comes once in twenty times
    assert results["test"]["spearman"] > 0.31 and min(losses[1:]) < losses[0]
    assert set(results["test"]) == {"spearman", "pearson", "loss"}
    assert check_proven(results["export"]["version_dir"])["max_difference"] < 1e-5
    rows = [json.loads(line) for line in (tmp_path / "run/predictions.jsonl").read_text().splitlines()]
    assert len(rows) == 40 and all(-5 <= row["value"] <= 5.001 and 0 <= row["true_value"] <= 5 for row in rows)
    page = (tmp_path / "run/report.html").read_text()
    assert "Spearman" in page and "furthest off" in page and "not hold the rows" not in page


@pytest.mark.parametrize(
    "flags, said",
    [
        (("--metric=mrr_at_10",), "--metric=mrr_at_10: --task=embedding has spearman, pearson, loss"),
        (("--embedding_loss=ranking", "--metric=spearman"), "--metric=spearman: --task=embedding has mrr_at_10, "),
        (("--score_range=0,1",), "is out of bounds; --score_range=0,1 allows 0 to 1"),
        (("--matryoshka=9",), "--matryoshka=9: the encoder's vectors have 8 dimensions; 9 is more"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(data, bert_folder, tmp_path, flags, said):
    done = train(tmp_path, data, bert_folder, *flags)
    assert done.code == 2 and said in done.error() and not (tmp_path / "run").exists()
