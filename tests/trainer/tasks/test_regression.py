"""Scores: in units of the training rows, within their bounds, judged by correlations."""

import numpy as np
import pytest
from scipy import stats

from trainer.config import Config
from trainer.models.encoder import load_encoder
from trainer.tasks import TASKS

LOGITS = np.array([[-2.0], [0.0], [1.0], [40.0]], np.float32)
TARGETS = np.float32([1, 2, 2.5, 4])


def make_task(**flags):
    return TASKS["regression"].of({"mean": 2.0, "deviation": 0.5}, False, Config.from_flat(flags))


def test_unbounded_scores_are_in_units_of_the_deviation():
    task = make_task()
    np.testing.assert_allclose(task.answers(LOGITS)["value"], 2 + 0.5 * LOGITS[:, 0])
    np.testing.assert_allclose(task.loss()(TARGETS, LOGITS), np.mean(((2 + 0.5 * LOGITS[:, 0] - TARGETS) / 0.5) ** 2))


def test_no_answer_leaves_the_bounds():
    task = make_task(score_range="0,5")
    values = task.answers(np.float32([[-1e9], [1e9], [0.0]]))["value"]
    assert values.tolist() == [0.0, 5.0, 2.5]


@pytest.mark.parametrize("bounds", ["", "0,5", "1.9,2"])
def test_an_untrained_head_answers_about_the_mean(bert_folder, tmp_path, bounds):
    encoder, task = load_encoder(str(bert_folder), tmp_path, 24), make_task(score_range=bounds)
    model = task.build(encoder)
    features, _ = encoder.preprocessor(["a film", "the plot"])
    values = task.answers(model(features).numpy())["value"]
    np.testing.assert_allclose(values, 2.0, atol=0.2)


def test_scores_are_those_of_scipy():
    found = make_task().score(LOGITS, TARGETS)
    value = 2 + 0.5 * LOGITS[:, 0].astype(float)
    assert found["spearman"] == pytest.approx(stats.spearmanr(value, TARGETS).statistic)
    assert found["pearson"] == pytest.approx(stats.pearsonr(value, TARGETS).statistic)
    assert found["mse"] == pytest.approx(np.mean((value - TARGETS) ** 2)) == found["loss"] * 0.25
    assert found["mae"] == pytest.approx(np.mean(np.abs(value - TARGETS)))


@pytest.mark.parametrize("logits, targets", [(np.zeros((3, 1)), [1, 2, 3]), ([[1], [2]], [1, 1]), ([[1]], [1])])
def test_a_constant_correlates_with_nothing(logits, targets):
    found = make_task().score(np.float32(logits), np.float32(targets))
    assert found["spearman"] == found["pearson"] == 0.0


def test_what_is_said_of_a_row():
    task = make_task()
    assert list(task.rows(LOGITS[:2])) == [{"value": 1.0}, {"value": 2.0}]
    assert task.cells(LOGITS[:1]) == ["1"] and task.truth(" 3.50") == {"true_value": 3.5}
    assert task.quality({"value": np.float32([1, 2, 3])}, ["1", "5", "9"]) == pytest.approx(1)
    assert task.stated() == {"score_range": None, "deviation": 0.5}
