"""benchmarks.few_shot: the draw of rows, what the runs bear out, and the whole of it over a tiny data set."""

import json
import subprocess
import sys

import pytest

from tests import tiny_reviews
from tests.commands import ROOT

DRAW = "print(json.dumps(few_shot.drawn(json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))"
MET = "print(json.dumps(few_shot.met({(s, n): {'accuracy': a} for s, n, a in json.loads(sys.argv[1])})))"
ROWS = [{"text": f"text {number}", "label": "abc"[number % 3]} for number in range(30)]


def run(code, *words):
    code = "import json, sys; from benchmarks import few_shot; " + code
    return subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True)


def drawn(shots, seed):
    return json.loads(run(DRAW, json.dumps(ROWS), str(shots), str(seed)).stdout)


def test_each_label_has_as_many_rows_and_a_seed_its_own():
    first = drawn(4, 1)
    assert [sum(row["label"] == label for row in first) for label in "abc"] == [4, 4, 4]
    assert first == drawn(4, 1) and first != drawn(4, 2) and all(row in ROWS for row in first)


def test_a_label_with_too_few_rows():
    done = run(DRAW, json.dumps(ROWS), "11", "1")
    assert "--shots=11: label 'a' has 10 rows; give as many or fewer" in done.stderr


@pytest.mark.parametrize("setfit, holds", [([0.6, 0.63], True), ([0.63, 0.65], False)])  # 1.5 points, 4 points
def test_only_seeds_of_both_sides_are_held_against_each_other(setfit, holds):
    runs = [("few_shot", 1, 0.6), ("few_shot", 2, 0.6), ("few_shot", 3, 0.0), ("fine_tuning", 1, 0.5)]
    runs += [("setfit", seed, value) for seed, value in enumerate(setfit, 1)]
    found = json.loads(run(MET, json.dumps(runs)).stdout)
    assert [value for claim, value in found.items() if "SetFit" in claim] == [holds]
    assert found["few_shot is better than fine-tuning on the same rows (+10.0 points, 1 seeds)"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_both_of_our_sides_over_tiny_rows(bert_folder, tmp_path):
    for seed, split in enumerate(("train", "validation", "test")):
        tiny_reviews.write(tmp_path / "emotion" / f"{split}.tsv", tiny_reviews.rows(40, seed))
    words = [f"--data_dir={tmp_path}", f"--encoder={bert_folder}", f"--results={tmp_path}/results", "--json"]
    words += ["--datasets=emotion", "--seeds=1", "--shots=4", "--sequence_length=32"]
    words = [sys.executable, "-m", "benchmarks.few_shot", *words]
    done = subprocess.run([*words, "--sides=few_shot,fine_tuning"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["datasets"]["emotion"]
    assert set(found["sides"]) == {"few_shot", "fine_tuning"} and len(found["runs"]) == 2
    kept = subprocess.run([*words, "--sides="], cwd=ROOT, capture_output=True, text=True)
    assert json.loads(kept.stdout)["datasets"]["emotion"] == found
