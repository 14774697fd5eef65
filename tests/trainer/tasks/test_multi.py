"""Several heads: each scored, and decided, on the texts that have a label for it, by its own settings."""

import json

import keras
import numpy as np
import pytest

from trainer.config import Config
from trainer.inputs.partners import PairVectors
from trainer.tasks.multi import HeadDecisions, Multi

HEADS = "mood: --calibration=none; kind: --abstain_precision=0.8 --loss_weight=0.5; stars: --task=regression"
LEARNED = {"mood": {"labels": ["a", "b"]}, "kind": {"labels": ["x", "y"]}, "stars": {"mean": 2.0, "deviation": 0.5}}


@pytest.fixture(scope="module")
def task():
    return Multi.of(LEARNED, False, Config.from_flat({"task": "multi", "heads": HEADS, "data": ".", "workdir": "run"}))


@pytest.fixture(scope="module")
def judged():
    """(logits of 300 texts, truth): the first 200 have a mood and a kind, the others stars; kinds are wrong near 0."""
    random = np.random.default_rng(0)
    targets, margin = random.integers(0, 2, 200).astype(np.int32), random.uniform(0, 3, 200)
    right = (margin > 1) | (random.random(200) < 0.5)
    sure = np.zeros((300, 2), np.float32)
    sure[np.arange(200), np.where(right, targets, 1 - targets)] = margin
    stars = np.zeros((300, 1), np.float32)
    logits = {"mood": 9 * np.eye(2, dtype=np.float32)[np.append(targets, [0] * 100)], "kind": sure, "stars": stars}
    first, last = np.arange(200), np.arange(200, 300)
    wanted = random.normal(2, 0.5, 100).astype(np.float32)
    return logits, {"mood": (first, targets), "kind": (first, targets), "stars": (last, wanted)}


def test_each_head_is_scored_where_it_has_a_label(task, judged):
    found, (logits, truth) = task.score(*judged), judged
    assert found["mood_accuracy"] == 1.0
    right = np.mean(logits["kind"][:200].argmax(axis=1) == truth["kind"][1])
    assert found["kind_accuracy"] == pytest.approx(right) and 0.6 < right < 0.95
    assert found["stars_mse"] == pytest.approx(np.mean((truth["stars"][1] - 2) ** 2))
    assert found["mean_quality"] == pytest.approx((1 + right + found["stars_spearman"]) / 3)
    parts = found["mood_loss"] + 0.5 * found["kind_loss"] + found["stars_loss"]
    assert found["loss"] == pytest.approx(parts)


def test_each_head_decides_by_its_own_settings(task, judged):
    decided = task.decide(None, *judged)
    mood, kind = (decided.heads[name].decisions for name in ("mood", "kind"))
    assert mood.temperature == 1.0 and mood.target_precision == 0 and kind.target_precision == 0.8
    assert kind.threshold > 0.5 and kind.temperature != 1.0
    again = task.decided(HeadDecisions(**json.loads(json.dumps(decided.decisions.to_dict()))))
    assert again.decisions == decided.decisions and not task.heads["kind"].decisions.threshold
    figures = decided.decision_figures({"dev": judged})["heads"]
    assert figures["kind"]["abstain"]["dev"]["precision"] > 0.8 and "abstain" not in figures["stars"]


def test_cells_tell_which_heads_a_text_has(task):
    cells = [json.dumps({"mood": "a", "kind": "x"}), json.dumps({"stars": "2.5"})]
    assert task.of_head("stars", cells)[0].tolist() == [1] and task.of_head("stars", cells)[1] == ["2.5"]
    assert task.truth(cells[1]) == {"true_heads": {"stars": {"true_value": 2.5}}}
    assert task.stated()["heads"]["kind"] == {"task": "classification", "labels": ["x", "y"]}


def test_heads_of_spans_alone_have_no_vector_to_give(task):
    heads = "slots: --task=tagging; names: --task=tagging"
    given = Config.from_flat({"task": "multi", "heads": heads, "data": ".", "workdir": "run"})
    spans = Multi.of({name: {"labels": ["a"]} for name in ("slots", "names")}, False, given)
    assert spans.further(None, None).keys() == {"tokens"}
    texts = keras.Input([2])
    vectors = keras.Model(texts, keras.layers.Identity(name="embedding")(texts))
    assert task.further(vectors, None).keys() == {"embed"}


def test_vectors_are_scored_and_proven_by_their_pairs():
    heads = f"{HEADS}; near: --task=embedding --text_pair_column=b"
    given = Config.from_flat({"task": "multi", "heads": heads, "data": ".", "workdir": "run"})
    task = Multi.of(LEARNED | {"near": {}}, False, given)
    own = np.eye(4, dtype=np.float32)
    pairs = PairVectors(own, np.array([1, 2, 3]), own[[1, 2, 0], np.newaxis])  # the last one is far from its own
    none = (np.zeros(0, np.int64), np.zeros(0, np.int32))
    truth = {"mood": none, "kind": none, "stars": none, "near": (pairs.rows, np.int32([[1], [2], [3]]))}
    found = task.score({"near": pairs}, truth)
    assert found["near_recall_at_1"] == pytest.approx(2 / 3) and found["mean_quality"] == found["near_mrr_at_10"]
    assert found["loss"] == found["near_loss"] > 0

    cells = [{"mood": "a"}, {"kind": "x", "near": ["two", "two"]}, {"near": ["two", "two"]}]
    table = type("Rows", (), {"texts": ["zero", "one", "also"], "labels": list(map(json.dumps, cells))})
    texts, second, proven = task.proof_rows(table)
    assert texts == ["zero", "one", "two", "one", "also"] and second is None
    assert list(map(json.loads, proven)) == [{"mood": "a"}, {"kind": "x"}, *[{"near": "0"}] * 3]
    vectors = {"near_embedding": own[[0, 0, 1, 1, 1]], "truncated": np.zeros(5, bool)}
    assert task._with({"near": task.heads["near"]}).quality(vectors, proven) == 1.0


def test_a_head_says_how_far_out_a_text_is(judged):
    heads = HEADS.replace("kind:", "kind: --out_of_scope=energy --in_scope_kept=0.9")
    given = Config.from_flat({"task": "multi", "heads": heads, "data": ".", "workdir": "run"})
    decided = Multi.of(LEARNED, False, given).decide(None, *judged)
    kind = decided.heads["kind"].answers(judged[0]["kind"][:200])
    assert np.mean(kind["out_of_scope"] <= np.float32(decided.heads["kind"].decisions.out_of_scope_limit)) == 0.9
    assert "out_of_scope" not in decided.heads["mood"].answers(judged[0]["mood"])
    again = decided.decided(HeadDecisions(**json.loads(json.dumps(decided.decisions.to_dict()))))
    assert again.decisions == decided.decisions
    assert "larger is further out" in decided.stated()["heads"]["kind"]["out_of_scope"]
    assert decided.decision_figures({"dev": judged})["heads"]["kind"]["out_of_scope"]["kept"] == {"dev": 0.9}
