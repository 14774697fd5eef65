"""Several labels per text: targets, scores, thresholds from dev, and what is served and said of them."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn import metrics

from trainer.config import Config, UserError
from trainer.tasks import TASKS
from trainer.tasks.thresholds import FEW, Thresholds, check_dev, fit

LABELS = ("a", "b", "c")
LOGITS = np.array([[2.0, 1.0, -1.0], [-2.0, -1.0, -0.1], [0.0, 3.0, 1.0]], np.float32)
CELLS = ["a|b", "", "c| b "]


def make_task(**flags):
    return TASKS["multi_label"].of({"labels": LABELS}, False, Config.from_flat(flags))


def settings(**flags):
    return Config.from_flat(flags).decision


def test_targets_are_ones_where_a_row_has_the_label():
    assert make_task().targets(CELLS).tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 1]]
    assert make_task(label_separator=",").targets(["c,a"]).tolist() == [[1, 0, 1]]


def test_scores_are_those_of_scikit_learn():
    task = make_task()
    targets = task.targets(CELLS)
    scores, selected = task.score(LOGITS, targets), LOGITS >= 0
    for average in ("micro", "macro"):
        assert scores[f"{average}_f1"] == pytest.approx(metrics.f1_score(targets, selected, average=average))
    assert scores["subset_accuracy"] == pytest.approx(2 / 3)
    assert scores["loss"] == pytest.approx(
        metrics.log_loss(targets.ravel(), 1 / (1 + np.exp(-LOGITS.ravel().astype(float))))
    )


def test_served_outputs_follow_the_thresholds():
    task = make_task().decided(Thresholds(0.5, {"a": 0.9, "c": 0.2}))
    found = {
        name: each.numpy() for name, each in task.serving_outputs(tf.constant(LOGITS), tf.zeros(3, tf.bool)).items()
    }
    assert found.keys() == task.served
    assert found["selected"].tolist() == [[False, True, True], [False, False, True], [False, True, True]]
    assert found["label"].tolist() == [b"a", b"c", b"b"] and not found["abstain"].any()
    np.testing.assert_allclose(found["probabilities"], 1 / (1 + np.exp(-LOGITS)), atol=1e-6)
    assert [row["labels"] for row in task.rows(LOGITS)] == [["b", "c"], ["c"], ["b", "c"]]
    assert task.cells(LOGITS) == ["b|c", "c", "b|c"]
    assert task.truth(" b|a") == {"true_labels": ["b", "a"]}


def test_quality_is_the_micro_f1_of_what_is_selected():
    task = make_task()
    targets = task.targets(CELLS)
    expected = metrics.f1_score(targets, LOGITS >= 0, average="micro")
    assert task.quality(task.answers(LOGITS), CELLS) == pytest.approx(expected)


@pytest.fixture(scope="module")
def dev():
    """(logits, targets) of 200 rows: `a` is best told at a low logit, `b` at a high one, `c` is rare."""
    random = np.random.default_rng(0)
    targets = (random.random((200, 3)) < [0.4, 0.4, 0.02]).astype(np.float32)
    return np.float32(targets * 2 - 1 + random.normal(0, 0.5, (200, 3)) + [-2, 2, 0]), targets


def test_each_label_gets_the_threshold_of_its_best_f1(dev):
    logits, targets = dev
    task, few = make_task(), targets.sum(axis=0)
    assert few[2] < FEW < few[0]
    own, common, half = (fit(task, settings(label_thresholds=how), *dev) for how in ("own", "common", "half"))
    assert set(own.thresholds) == {"a", "b"} and own.thresholds["a"] < 0.3 < 0.7 < own.thresholds["b"]
    assert own.threshold == common.threshold and common.thresholds is None and half == Thresholds()
    f1 = [task.decided(each).score(*dev)["micro_f1"] for each in (own, common, half)]
    assert f1[0] > f1[1] >= f1[2]
    assert task.decide(settings(), *dev).decisions == own == Thresholds(**own.to_dict())


def test_while_training_rows_are_judged_at_the_common_threshold(dev):
    task = make_task()
    low = dev[0] - 6  # nothing reaches 0.5 early in a training
    assert task.score(low, dev[1])["micro_f1"] == 0
    assert task.score_on_dev(low, dev[1])["micro_f1"] == pytest.approx(task.score_on_dev(*dev)["micro_f1"])


def test_dev_rows_without_any_label_fit_nothing():
    with pytest.raises(
        UserError, match="--label_thresholds=own: no dev row has a label; give dev rows with labels, or"
    ):
        check_dev(settings(), [(), ()])
    check_dev(settings(label_thresholds="half"), [(), ()])
    check_dev(settings(), [(), ("a",)])
