"""Temperature and thresholds inside a version, and what the proof says where they are not the trained model's."""

import dataclasses

import numpy as np
import pytest

from serving import exchange, loader
from tests.trainer.export.conftest import DEV
from trainer.config import ModelConfig
from trainer.export import compare
from trainer.export.label_comparison import LabelComparison
from trainer.export.prove import ProofRefused, prove
from trainer.export.samples import Samples, collect
from trainer.tasks.classification import Classification
from trainer.tasks.decisions import Decisions

LABELS = ("bad", "good", "unsure")
OWN = Decisions(1.7, 0.9, 0.55, {"bad": 0.45, "good": 0.62, "unsure": 0.55})


def deciding(trained, decisions):
    return dataclasses.replace(trained, task=trained.task.decided(decisions))


@pytest.fixture(scope="module")
def decided(trained, tmp_path_factory):
    """(Trained that decides, ExportReport of it)."""
    own = deciding(trained, OWN)
    return own, own.export(tmp_path_factory.mktemp("decided"))


def test_served_answers_are_decided_as_offline(decided, trained):
    own, report = decided
    texts = [f"{a} {b}" for a in ("great", "bad", "the film", "dull plot") for b in DEV[:6]]
    features, _ = own.encoder.preprocessor(texts)
    expected = own.task.answers(own.model(features).numpy())
    with loader.ServedVersion(report.version_dir) as served:
        answer = served.run("serving_default", {"text": exchange.strings(texts)})
    np.testing.assert_allclose(answer["score"], expected["score"], atol=1e-6)
    np.testing.assert_allclose(answer["probabilities"], expected["probabilities"], atol=1e-6)
    assert answer["abstain"].tolist() == expected["abstain"].tolist() and 0 < expected["abstain"].sum() < len(texts)
    np.testing.assert_array_equal(answer["label"], expected["label"])
    assert np.abs(trained.probabilities(texts, None) - answer["probabilities"]).max() > 0.05, "the temperature is in it"


def test_contract_and_card_name_them(decided, exported):
    report = decided[1]
    assert Decisions(**report.contract["decisions"]) == OWN
    card = (report.version_dir / "model_card.md").read_text()
    assert "calibrated with temperature 1.7, fitted on dev;" in card
    assert "below the threshold of its label comes back with `abstain`, for a precision of 0.9" in card
    assert exported.contract["decisions"] == {"temperature": 1.0}
    assert "**Probabilities:** not calibrated." in (exported.version_dir / "model_card.md").read_text()


def test_other_decisions_are_another_version(decided, trained, exported, in_process):
    own, report = decided
    again = own.export(report.version_dir.parent)
    assert again.reused and again.version_dir == report.version_dir
    assert exported.version_dir.name != report.version_dir.name


@pytest.mark.parametrize(
    "other, said",
    [
        (Decisions(), r"difference from the trained model is 0\.\d+"),
        (Decisions(1.7), r"abstain is true against its score .* and the threshold 0 of "),
        (dataclasses.replace(OWN, thresholds=None), r"abstain is false against its score"),
    ],
)
def test_a_version_that_decides_otherwise_is_refused(decided, trained, other, said, in_process):
    """The graph holds OWN, the trained model that it is compared with decides otherwise."""
    model = deciding(trained, other)
    with pytest.raises(ProofRefused, match=said):
        prove(decided[1].version_dir, collect(DEV, None, 256, model.task, model.answers))


def compared(score, abstain, *, threshold=0.6, reference=None):
    """Runs the comparison of one text whose probabilities are (score, rest, 0)."""
    given, reference = (np.float32([each, 1 - each, 0.0]) for each in (score, reference or score))
    task = Classification(LABELS, False, ModelConfig()).decided(Decisions(1.0, 0.9, None, {"bad": threshold}))
    samples = Samples([b"a"], None, 1, 0, task, reference[None])
    answer = {
        "label": np.array([b"bad"], object),
        "score": given.max(keepdims=True),
        "probabilities": given[None],
        "truncated": np.array([False]),
        "abstain": np.array([abstain]),
    }
    LabelComparison(samples, {("batch", (0,)): answer}, 1e-4).flags()


@pytest.mark.parametrize("score, abstain", [(0.59, True), (0.6001, False), (0.9, False)])
def test_right_flags_pass(score, abstain):
    compared(score, abstain)


@pytest.mark.parametrize("score, abstain", [(0.59, False), (0.61, True), (0.9, True)])
def test_wrong_flags_do_not(score, abstain):
    with pytest.raises(compare.Differs, match=f"abstain is {str(abstain).lower()} against its score"):
        compared(score, abstain)


def test_within_the_tolerance_of_the_threshold_either_is_right():
    compared(0.60004, False, reference=0.59996)
    compared(0.59996, True, reference=0.60004)


def test_beyond_it_the_trained_model_is_right():
    with pytest.raises(compare.Differs, match="abstain is false where the trained model's is not"):
        compared(0.6001, False, reference=0.5)
