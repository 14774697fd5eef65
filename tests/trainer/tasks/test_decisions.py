"""Decisions: what they do to answers, how they are fitted, and what cannot be promised."""

import json

import numpy as np
import pytest
import tensorflow as tf

from trainer.config import Config, UserError
from trainer.tasks import TASKS
from trainer.tasks.decisions import Decisions, check_dev, fit_decisions

LABELS = ("bad", "good", "unsure")


def make_task(given=None):
    task = TASKS["classification"](LABELS, False, Config().model)
    return task if given is None else task.decided(given)


def settings(**flags):
    return Config.from_flat(flags).decision


def drawn(rows=1500, temperature=2.0, seed=0):
    """(logits, targets) of an overconfident model: `temperature` would make it right."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=5, size=(rows, 3)).astype(np.float32)
    return logits, (logits / temperature + rng.gumbel(size=logits.shape)).argmax(axis=1)


def test_without_decisions_nothing_changes_and_nothing_abstains():
    logits = drawn(50)[0]
    answers = make_task().answers(logits)
    np.testing.assert_array_equal(answers["probabilities"], tf.nn.softmax(logits).numpy())
    assert not answers["abstain"].any() and Decisions().to_dict() == {"temperature": 1.0}


def test_a_temperature_moves_probabilities_and_no_label():
    logits = drawn(200)[0]
    logits[0] = [3.0, 3.0000002, 1.0]  # at temperature 10 their probabilities are equal
    plain, warm = make_task().answers(logits), make_task(Decisions(10.0)).answers(logits)
    np.testing.assert_array_equal(plain["label"], warm["label"])
    assert plain["label"].tolist() == [LABELS[i].encode() for i in logits.argmax(axis=1)]
    np.testing.assert_allclose(warm["probabilities"], tf.nn.softmax(logits / 10).numpy(), atol=1e-7)
    np.testing.assert_array_equal(warm["score"], warm["probabilities"].max(axis=1))


def test_the_given_task_stays_as_it_was():
    task = make_task()
    task.decided(Decisions(2.0))
    assert task.decisions == Decisions()


@pytest.mark.parametrize(
    "given, abstained",
    [
        (Decisions(1.0, 0.9, 0.6), [False, True, False, True]),
        (Decisions(1.0, 0.9, 0.6, {"bad": 0.9, "good": 0.6, "unsure": 0.4}), [True, True, False, False]),
    ],
)
def test_answers_below_the_threshold_of_their_label_abstain(given, abstained):
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.2, 0.7, 0.1], [0.3, 0.2, 0.5]], np.float32)
    answers = make_task(given).answers(np.log(probabilities))
    assert answers["abstain"].tolist() == abstained
    assert answers["label"].tolist() == [b"bad", b"good", b"good", b"unsure"]


def test_a_score_at_its_threshold_is_answered():
    score = make_task().answers(drawn(1)[0])["score"][0]
    above = float(np.nextafter(score, np.float32(1)))
    for threshold, abstains in ((float(score), False), (above, True)):
        assert make_task(Decisions(1.0, 0.9, threshold)).answers(drawn(1)[0])["abstain"].tolist() == [abstains]


@pytest.mark.parametrize("given", [Decisions(1.5), Decisions(0.7, 0.9, 0.25), Decisions(1.0, 0.9, 0.0, {"bad": 0.1})])
def test_decisions_survive_json(given):
    assert Decisions(**json.loads(json.dumps(given.to_dict()))) == given


def test_a_temperature_is_fitted_unless_it_is_not_wanted():
    logits, targets = drawn()
    assert fit_decisions(make_task(), settings(), logits, targets) == Decisions(pytest.approx(2.0, rel=0.15))
    assert fit_decisions(make_task(), settings(calibration="none"), logits, targets) == Decisions()


@pytest.mark.parametrize("calibration", ["none", "temperature"])
def test_thresholds_are_of_the_scores_that_are_served(calibration):
    """The rows that the served graph answers are right as often as was asked, whatever the temperature."""
    logits, targets = drawn(3000)
    found = fit_decisions(make_task(), settings(calibration=calibration, abstain_precision=0.9), logits, targets)
    new, truth = drawn(3000, seed=1)
    answers = make_task(found).answers(new)
    right = (new.argmax(axis=1) == truth)[~answers["abstain"]]
    assert 0.3 < len(right) / 3000 < 0.95 and right.mean() > 0.88
    assert found.target_precision == 0.9 and found.thresholds is None


def test_labels_have_thresholds_of_their_own_where_dev_has_the_rows():
    logits, targets = drawn(3000)
    targets = np.where((logits.argmax(axis=1) == 0) & (np.arange(3000) % 5 > 0), 0, targets)  # "bad" is right oftener
    kept = (logits.argmax(axis=1) != 2) | (np.arange(3000) < 60)  # and "unsure" has hardly a row
    logits, targets = logits[kept], targets[kept]
    asked = settings(abstain_precision=0.9, abstain_per_label=True)
    found = fit_decisions(make_task(), asked, logits, targets)
    assert found.thresholds["bad"] < found.threshold < found.thresholds["good"]
    assert found.thresholds["unsure"] == found.threshold
    answered = ~make_task(found).answers(logits)["abstain"]
    for place in (0, 1):
        rows = answered & (logits.argmax(axis=1) == place)
        assert (targets[rows] == place).mean() > 0.9


def test_a_precision_out_of_reach_is_one_line_with_the_best_that_is_not():
    logits, targets = drawn(500)
    with pytest.raises(UserError) as caught:
        fit_decisions(make_task(), settings(abstain_precision=0.999), logits, np.roll(targets, 1))
    line = str(caught.value)
    assert "--abstain_precision=0.999: no threshold shows it on the 500 dev rows" in line and "\n" not in line
    reachable = float(line.split("give --abstain_precision=")[1].split()[0])
    fit_decisions(make_task(), settings(abstain_precision=reachable), logits, np.roll(targets, 1))


def test_what_dev_cannot_show_is_said_before_training():
    check_dev(settings(abstain_precision=0.9), ["bad", "good"] * 15)
    check_dev(settings(), ["bad"])
    with pytest.raises(UserError, match="0.9: 28 dev rows cannot show it, it takes 29 or more"):
        check_dev(settings(abstain_precision=0.9), ["bad", "good"] * 14)
    with pytest.raises(UserError, match="all dev rows have the label 'bad'"):
        check_dev(settings(abstain_precision=0.9), ["bad"] * 40)
