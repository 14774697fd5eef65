"""Scores of how far out a text is: their formulas, the limit, and what abstains by it."""

import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.covariance import LedoitWolf

from trainer.config import Config, UserError
from trainer.export.comparison import Differs
from trainer.export.label_comparison import LabelComparison
from trainer.export.samples import Samples
from trainer.tasks import TASKS, out_of_scope
from trainer.tasks.class_distance import ClassDistance
from trainer.tasks.decisions import Decisions, fit_decisions

LABELS = ("bad", "good", "unsure")


def make_task(given=None):
    task = TASKS["classification"](LABELS, False, Config().model)
    return task if given is None else task.decided(given)


def settings(**flags):
    return Config.from_flat(flags).decision


def logits(rows, scale=4.0, seed=0):
    return np.random.default_rng(seed).normal(scale=scale, size=(rows, 3)).astype(np.float32)


def vectors(rows, seed=0, spread=0.3):
    """(`<float32>[rows, 5]`, ids): three labels round three axes; rows of label 3 lie elsewhere."""
    rng, ids = np.random.default_rng(seed), np.arange(rows) % 3
    return (np.eye(5)[ids] * 3 + rng.normal(scale=spread, size=(rows, 5))).astype(np.float32), ids


def test_energy_and_softmax_are_their_formulas():
    drawn, task = logits(50), make_task(Decisions(2.0))
    found = out_of_scope.scores(task, drawn)
    assert list(found) == ["max_softmax", "energy"], "without vectors there is no distance"
    np.testing.assert_allclose(found["energy"], -logsumexp(drawn, axis=1), rtol=1e-6)
    np.testing.assert_allclose(found["max_softmax"], 1 - make_task().answers(drawn)["score"], atol=1e-6)


@pytest.mark.parametrize("name", ["max_softmax", "energy"])
def test_abstaining_moves_with_the_limit_and_nothing_else_does(name):
    drawn, plain = logits(40), make_task().answers(logits(40))
    scores = out_of_scope.scores(make_task(), drawn)[name]
    for limit in np.quantile(scores, [0.1, 0.5, 0.9]).astype(float):
        answers = make_task(Decisions(out_of_scope=name, out_of_scope_limit=limit)).answers(drawn)
        np.testing.assert_array_equal(answers["out_of_scope"], scores)
        np.testing.assert_array_equal(answers["abstain"], scores > np.float32(limit))
        assert all((answers[output] == plain[output]).all() for output in ("label", "score", "probabilities"))
    assert "out_of_scope" not in plain


def test_either_limit_is_enough_to_abstain():
    drawn = logits(60)
    energy, score = out_of_scope.scores(make_task(), drawn)["energy"], make_task().answers(drawn)["score"]
    both = Decisions(1.0, 0.9, 0.7, None, "energy", -5.0, 1.0)
    abstain = make_task(both).answers(drawn)["abstain"]
    np.testing.assert_array_equal(abstain, (energy > -5) | (score < 0.7))
    assert (energy > -5)[score >= 0.7].any() and (score < 0.7)[energy <= -5].any()


@pytest.mark.parametrize(
    "given",
    [Decisions(1.5, out_of_scope="energy", out_of_scope_limit=-2.5, out_of_scope_unit=0.7)]
    + [Decisions(0.7, 0.9, 0.25, None, "max_softmax", 0.5, 1.0)],
)
def test_decisions_survive_json(given):
    assert Decisions(**json.loads(json.dumps(given.to_dict()))) == given
    assert set(Decisions().to_dict()) == {"temperature"}


def test_a_limit_of_in_scope_texts_keeps_their_share():
    drawn, ids = logits(1000), np.arange(1000) % 3
    for flags, share in (({}, 0.95), ({"in_scope_kept": 0.8}, 0.8)):
        found = fit_decisions(make_task(), settings(out_of_scope="energy", **flags), drawn, ids)
        assert np.mean(~make_task(found).answers(drawn)["abstain"]) == share
        span = np.subtract(*np.quantile(logsumexp(drawn, axis=1), (0.95, 0.05)))
        assert found.out_of_scope_unit == pytest.approx(span, rel=1e-5)


def test_texts_out_of_scope_set_the_limit_unless_a_share_is_asked_for():
    inside, outside = logits(900, 6.0), logits(300, 0.5, seed=1)
    ids = inside.argmax(axis=1)
    asked = settings(out_of_scope="energy")
    best = make_task(fit_decisions(make_task(), asked, inside, ids, outside))
    kept, refused = (~best.answers(inside)["abstain"]).mean(), best.answers(outside)["abstain"].mean()
    by_share = make_task(fit_decisions(make_task(), asked, inside, ids))
    other = by_share.answers(outside)["abstain"].mean()
    assert (kept + refused) / 2 > (0.95 + other) / 2
    asked = settings(out_of_scope="energy", in_scope_kept=0.99)
    assert (
        ~make_task(fit_decisions(make_task(), asked, inside, ids, outside)).answers(inside)["abstain"]
    ).mean() == 0.99


def test_texts_far_from_every_label_have_the_larger_distance():
    (train, ids), (near, _) = vectors(300), vectors(60, seed=1)
    distance = ClassDistance.fit(train, ids)
    far = (np.eye(5)[3] * 3 + np.random.default_rng(2).normal(scale=0.3, size=(60, 5))).astype(np.float32)
    assert distance(near).numpy().max() < distance(far).numpy().min()
    again = ClassDistance.loads(distance.dumps())
    np.testing.assert_array_equal(again(near), distance(near))


def test_the_distance_is_that_of_mahalanobis():
    train, ids = vectors(300)
    unit = train / np.linalg.norm(train, axis=1, keepdims=True)
    means = np.stack([unit[ids == label].mean(axis=0) for label in range(3)])
    inverse = np.linalg.inv(LedoitWolf(assume_centered=True).fit(unit - means[ids]).covariance_)
    other = vectors(40, seed=3)[0]
    unit = other / np.linalg.norm(other, axis=1, keepdims=True)
    wanted = cdist(unit, means, "mahalanobis", VI=inverse).min(axis=1)
    np.testing.assert_allclose(ClassDistance.fit(train, ids)(other), wanted, rtol=1e-4)


def test_one_row_of_each_label_has_a_distance_too():
    train = np.eye(8, dtype=np.float32)
    found = ClassDistance.fit(train, np.arange(8))(np.concatenate([train, train + 1])).numpy()
    assert np.isfinite(found).all() and found[:8].max() < 0.01 * found[8:].min()


def test_a_model_that_gives_vectors_answers_as_one_that_does_not():
    train, ids = vectors(90)
    answers = np.concatenate([logits(90), train], axis=1)
    decided = Decisions(1.3, out_of_scope="distance", out_of_scope_limit=0.2, out_of_scope_unit=1.0)
    task = make_task(decided).measuring(ClassDistance.fit(train, ids))
    given, plain = task.answers(answers), make_task(Decisions(1.3)).answers(logits(90))
    for name in ("label", "score", "probabilities"):
        np.testing.assert_array_equal(given[name], plain[name])
    np.testing.assert_array_equal(given["out_of_scope"], task.class_distance(train))
    assert task.score(answers, ids) == make_task().score(logits(90), ids) and task.cells(answers) == task.cells(
        logits(90)
    )
    assert set(out_of_scope.scores(task, answers)) == {"max_softmax", "energy", "distance"}


def test_figures_of_every_score_beside_each_other():
    inside, outside = logits(200, 6.0), logits(100, 0.5, seed=1)
    task = make_task(Decisions(out_of_scope="energy", out_of_scope_limit=-3.0, out_of_scope_unit=1.0))
    found = task.decision_figures({"dev": (inside, inside.argmax(axis=1))}, {"dev": outside})["out_of_scope"]
    assert found["kept"]["dev"] == np.mean(~task.answers(inside)["abstain"])
    apart = found["told_apart"]["dev"]
    assert apart["refused"] == np.mean(task.answers(outside)["abstain"]) and apart["texts"] == 100
    assert apart["auroc"].keys() == {"max_softmax", "energy"} and min(apart["auroc"].values()) > 0.8
    json.dumps(found)


def compared(limit, given=None, abstain=None, tolerance=1e-4):
    """Runs the comparison of three texts whose version gives `given` as out_of_scope and `abstain`."""
    task = make_task(Decisions(out_of_scope="energy", out_of_scope_limit=limit, out_of_scope_unit=2.0))
    answers = task.answers(logits(3))
    batch = answers | {"out_of_scope": answers["out_of_scope"] if given is None else np.float32(given)}
    batch |= {"abstain": answers["abstain"] if abstain is None else np.array(abstain)}
    parts = {("batch", (0, 1, 2)): slice(None)} | {("alone", (row,)): slice(row, row + 1) for row in range(3)}
    asked = {key: {name: each[part] for name, each in batch.items()} for key, part in parts.items()}
    asked |= {("embed", rows): {"embedding": np.ones((len(rows), 2))} for rows in ((0, 1), (0,), (1,))}
    samples = Samples([b"a", b"b", b"c"], None, 3, 0, task, answers["probabilities"], answers)
    return LabelComparison(samples, asked, tolerance).figures()


def test_the_proof_holds_the_score_to_its_tolerance():
    energy = make_task(Decisions(out_of_scope="energy", out_of_scope_limit=0.0)).answers(logits(3))["out_of_scope"]
    near, far = energy + np.float32(1.5e-4), energy + np.float32(2.5e-4)  # the unit is 2
    assert compared(0.0).out_of_scope == {"max_difference": 0.0, "max_batch_difference": 0.0}
    assert compared(0.0, near).out_of_scope["max_difference"] == pytest.approx(7.5e-5, rel=0.02)
    with pytest.raises(
        Differs, match=r"difference of out_of_scope from the trained model is 0.00013, allowed is 1e-04"
    ):
        compared(0.0, far)


def test_the_proof_holds_abstain_to_the_limit():
    energy = np.sort(
        make_task(Decisions(out_of_scope="energy", out_of_scope_limit=0.0)).answers(logits(3))["out_of_scope"]
    )
    limit = float(energy[:2].mean())
    compared(limit)
    with pytest.raises(Differs, match="abstain is false against its score .* beyond the limit of out_of_scope, on dev"):
        compared(limit, abstain=[False] * 3)
    with pytest.raises(Differs, match="abstain is true against its score .* within the limit of out_of_scope, on dev"):
        compared(float(energy.max()) + 1, abstain=[True] * 3)


@pytest.mark.parametrize(
    "given, said",
    [
        ({"in_scope_kept": 0.9}, "--in_scope_kept says nothing without --out_of_scope"),
        ({"out_of_scope_data": "x"}, "--out_of_scope_data says nothing without --out_of_scope"),
        ({"out_of_scope": "mahalanobis"}, "allowed are none, max_softmax, energy, distance"),
        ({"out_of_scope": "energy", "in_scope_kept": 1.5}, "--in_scope_kept=1.5: allowed is 0.0 to 1.0"),
        ({"out_of_scope": "energy", "task": "regression"}, "--out_of_scope=energy: --task=regression has none"),
        (
            {"out_of_scope": "energy", "out_of_scope_data": "no.tsv"},
            "--out_of_scope_data=no.tsv: no such file or folder",
        ),
    ],
)
def test_a_mistake_is_one_line(tmp_path, given, said):
    with pytest.raises(UserError) as caught:
        Config.from_flat({"workdir": "run", "data": str(tmp_path)} | given).validate()
    assert said in str(caught.value) and "\n" not in str(caught.value)
