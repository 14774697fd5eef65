"""The best span of each context, against every span tried one by one; places of gold answers; the no-answer limit."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.config import UserError
from trainer.metrics import squad
from trainer.tasks import answers, no_answer
from trainer.tasks.answers import Windowed
from trainer.tasks.losses import PlacesCrossEntropy


def windows_of(seed, texts=12):
    """Windows of random texts, some without a token, and logits for them."""
    random = np.random.default_rng(seed)
    counts = random.integers(1, 18, texts)
    counts[[2, -1]] = 0
    rows = []
    for text, count in enumerate(counts):
        for at in range(0, max(1, count - 3), 4):  # 7 tokens each, 3 of them shared with the next
            rows.append((text, random.integers(2, 5), at, min(7, count - at)))
    columns = np.array(rows, np.int32).T
    logits = random.normal(size=(len(rows), 14, 2)).astype(np.float32) * 3
    return Windowed(*map(tf.constant, columns), tf.constant(counts, tf.int64)), logits


def tried(windows, logits, longest):
    """{(first, last): logit} and the logit of no answer of each text, by loops over everything."""
    text, first, at, size = (each.numpy() for each in windows[:4])
    spans = [{} for _ in windows.counts]
    nothing = [np.inf] * len(spans)
    for window in range(len(text)):
        nothing[text[window]] = min(nothing[text[window]], logits[window, 0].sum())
        for start in range(size[window]):
            for end in range(start, min(start + longest, size[window])):
                value = logits[window, first[window] + start, 0] + logits[window, first[window] + end, 1]
                span = (at[window] + start, at[window] + end)
                spans[text[window]][span] = max(value, spans[text[window]].get(span, -np.inf))
    return spans, nothing


@pytest.mark.parametrize("seed, longest", [(0, 4), (1, 1), (2, 30), (3, 3)])
def test_the_best_span_is_that_of_a_search_over_all(seed, longest):
    windows, logits = windows_of(seed)
    found = [each.numpy() for each in answers.best(tf.constant(logits), windows, longest)]
    spans, nothing = tried(windows, logits, longest)
    for row, (first, last, logit, second, none, total) in enumerate(zip(*found, strict=True)):
        values = sorted(spans[row].values())
        assert none == pytest.approx(nothing[row], abs=1e-5)
        assert total == pytest.approx(np.logaddexp.reduce([*values, nothing[row]]), abs=1e-4)
        if not values:
            assert logit == answers.LOWEST
            continue
        assert logit == pytest.approx(values[-1], abs=1e-5)
        assert spans[row][first, last] == pytest.approx(values[-1], abs=1e-5)
        assert second == pytest.approx(values[-2], abs=1e-5) if len(values) > 1 else second < -1e8
    assert any(not each for each in spans) and sum(map(len, spans)) > 30


def test_of_no_texts_there_is_none():
    nothing = tf.zeros([0], tf.int32)
    found = answers.best(tf.zeros([0, 5, 2]), Windowed(*[nothing] * 4, tf.zeros([0], tf.int64)), 3)
    assert all(each.shape == (0,) for each in found)


@pytest.mark.parametrize(
    "golds, bounds",
    [
        ([], (0, 0)),
        ([[0, "ab"]], (0, 1)),
        ([[3, "cde fg"]], (1, 4)),
        ([[4, "d"]], (1, 2)),  # within a token
        ([[5, "e f"], [0, "ab"]], (2, 4)),  # the first gold answer
        ([[2, " "]], (0, 0)),
        ([[10, "zz"]], (0, 0)),
    ],
)
def test_tokens_of_gold_answers(golds, bounds):
    start, end = np.array([0, 3, 5, 7]), np.array([2, 5, 6, 9])  # ab cd·e fg
    assert answers.token_bounds(golds, start, end) == bounds


def test_the_loss_is_the_mean_of_both_places():
    logits = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
    logits[:, 4] = answers.LOWEST  # padding
    places = np.array([[1, 2], [0, 0], [3, 3]])
    real = logits[:, :4]
    shares = np.exp(real) / np.exp(real).sum(axis=1, keepdims=True)
    each = [np.mean([-np.log(shares[i, places[i, side], side]) for side in (0, 1)]) for i in range(3)]
    assert float(PlacesCrossEntropy()(places, logits)) == pytest.approx(np.mean(each), rel=1e-5)
    weighted = float(PlacesCrossEntropy()(places, logits, np.array([1.0, 1.0, 0.0])))
    assert weighted == pytest.approx(np.mean(each[:2]), rel=1e-5)


def test_the_threshold_gives_the_best_f1_that_any_gives():
    random = np.random.default_rng(4)
    golds = [["in Paris"] if random.random() < 0.6 else [] for _ in range(60)]
    given = [random.choice(["Paris", "in Paris", "Rome"]) for _ in golds]
    advantages = np.array([random.normal() + (not gold) * 1.5 for gold in golds]).round(1)  # some are equal

    def f1_at(threshold):
        told = ["" if each > threshold else answer for each, answer in zip(advantages, given, strict=True)]
        return squad.scores(told, golds)["f1"]

    threshold = no_answer.best_threshold(advantages, given, golds)
    assert f1_at(threshold) == pytest.approx(max(map(f1_at, np.arange(-6, 6, 0.05))))
    assert f1_at(threshold) > max(f1_at(-np.inf), f1_at(np.inf)) and threshold not in advantages


@pytest.mark.parametrize("golds, silent", [([["Paris"]] * 3, 0), ([[]] * 3, 3)])
def test_thresholds_at_the_ends(golds, silent):
    advantages = np.array([0.5, -1.0, 2.0])
    threshold = no_answer.best_threshold(advantages, ["Paris"] * 3, golds)
    assert (advantages > threshold).sum() == silent


def test_dev_rows_of_one_kind_choose_no_threshold():
    no_answer.check_dev(False, [["x"]])
    no_answer.check_dev(True, [["x"], []])
    for golds, said in (([["x"]] * 2, "all 2 dev questions have an answer"), ([[]], "all 1 dev questions have none")):
        with pytest.raises(UserError, match=said):
            no_answer.check_dev(True, golds)


def test_an_article_is_no_answer_where_there_is_none():
    """The official scorer drops articles, and so takes "the" for nothing."""
    threshold = no_answer.best_threshold(np.array([3.0, -3.0]), ["the", "Paris"], [[], ["Paris"]])
    assert -3 < threshold < 3
