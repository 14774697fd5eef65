"""int8: what it computes, and that it ships only where it is measured faster and right often enough."""

import numpy as np
import pytest
import tensorflow as tf

from serving import loader
from tests.trainer.export.test_precision import gentle
from trainer.export import int8
from trainer.export.prove import ProofRefused
from trainer.models import int8 as product


@pytest.fixture(scope="module")
def small(bert_folder):
    return gentle(bert_folder, serving_precision="int8")


def test_the_product_is_within_its_rounding_and_knows_no_neighbours():
    random = np.random.default_rng(1)
    x, kernel = random.normal(size=(9, 40)).astype(np.float32), random.normal(size=(40, 6)).astype(np.float32)
    x[3] *= 1000  # one token's size is no other's
    bias, held = random.normal(size=6).astype(np.float32), product.rounded(tf.constant(kernel))
    compute = tf.function(lambda x: product.dense(x, held, bias))
    given, exact = compute(x).numpy(), x @ kernel + bias
    scale = np.abs(x).max(axis=1, keepdims=True) * np.abs(kernel).max(axis=0)
    assert np.abs((given - exact) / scale).max() < 0.05
    np.testing.assert_allclose(compute(x[:3]), given[:3], rtol=1e-6)
    np.testing.assert_allclose(
        tf.function(lambda x: product.dense(x, held[:, 2:], bias[2:]))(x), given[:, 2:], rtol=1e-6
    )
    assert compute(np.zeros((2, 40), np.float32)).numpy() == pytest.approx(np.stack([bias, bias]))


def export(small, folder, monkeypatch, seconds):
    monkeypatch.setattr(int8, "race", lambda *_: [seconds] * 7)
    return small.export(folder, dev_labels=small.labels())


def test_where_it_is_faster_it_is_proven_and_says_so(small, tmp_path, in_process, monkeypatch):
    report = export(small, tmp_path, monkeypatch, (0.04, 0.05))
    assert report.contract["precision"] == report.proof["precision"] == "int8"
    assert {"_QuantizedMatMul"} < set(report.contract["ops"])
    faster = report.proof["faster"]
    assert faster["ratio"] == pytest.approx(0.8) and faster["milliseconds"] == pytest.approx(
        {"int8": 40, "bfloat16": 50}
    )
    assert faster["accuracy"] == {"int8": 1.0, "bfloat16": 1.0, "float32": 1.0}
    assert "int8 40.0 ms against bfloat16 50.0 ms for 7 dev texts (median ratio 0.80), accuracy" in report.line()
    assert 1e-5 < report.proof["max_difference"] < 2e-2
    assert [path.name for path in tmp_path.glob("[!.]*")] == [report.version_dir.name], "the rival is not kept"


@pytest.mark.slow
def test_where_it_is_not_faster_the_refusal_prints_the_figures(small, tmp_path, in_process, monkeypatch):
    with pytest.raises(ProofRefused) as refusal:
        export(small, tmp_path, monkeypatch, (0.06, 0.05))
    line = str(refusal.value)
    assert "int8 is not faster than bfloat16 here: int8 60.0 ms against bfloat16 50.0 ms" in line
    assert "accuracy on 7 dev rows int8 100.00%, bfloat16 100.00%, float32 100.00%" in line
    assert line.endswith("give --serving_precision=bfloat16") and refusal.value.exit_code == 3
    assert not list(tmp_path.glob("[!.]*"))


@pytest.mark.slow
def test_a_refusal_for_its_limits_says_what_was_measured(small, tmp_path, in_process, monkeypatch):
    def wrong(texts, pairs):
        answers = small.answers(texts, pairs)
        return answers | {"probabilities": answers["probabilities"][:, [1, 0, 2]]}

    monkeypatch.setattr(int8, "race", lambda *_: [(0.04, 0.05)] * 7)
    with pytest.raises(ProofRefused, match=r"int8: difference from the trained model .* \(measured: int8 40.0 ms aga"):
        small.export(tmp_path, reference=wrong, dev_labels=small.labels())


def test_lost_accuracy_is_refused(monkeypatch):
    found = {
        "rows": 1000,
        "milliseconds": {"int8": 40.0, "bfloat16": 50.0},
        "ratio": 0.8,
        "accuracy": {"int8": 0.85, "bfloat16": 0.857, "float32": 0.858},
    }
    monkeypatch.setattr(int8, "measure", lambda *_: found)
    with pytest.raises(ProofRefused, match=r"int8 loses more than the 0.3 points .* int8 85.00%, bfloat16 85.70%"):
        int8.prove(lambda: {}, "version", "rival", object(), "scratch")


def test_both_are_asked_in_turn(monkeypatch):
    asked = []

    class Version:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def run(self, *request):
            asked.append(self.name)

    monkeypatch.setattr(loader, "ServedVersion", Version)
    pairs = int8.race("a", "b", ("serving_default", {}))
    assert len(pairs) == 7 and all(ours > 0 and theirs > 0 for ours, theirs in pairs)
    assert asked == ["a", "b"] * 9
