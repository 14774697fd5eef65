"""Labels in and out, the loss and the scores, against numpy and scikit-learn."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn import metrics

from tests import tiny_encoders
from trainer.config import Config, UserError
from trainer.models.encoder import load_encoder
from trainer.tasks import TASKS

LABELS = ("bad", "good", "unsure")
LOGITS = np.array([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0], [-3.0, 5.0, 1.0], [30.0, -30.0, 0.0]], np.float32)
TARGETS = np.array([0, 2, 0, 0], np.int32)


def make_task(**flags):
    return TASKS["classification"](LABELS, False, Config.from_flat(flags).model)


def log_softmax(logits):
    logits = logits.astype(np.float64)
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0]])
def test_the_loss_is_a_mean_over_the_weights(smoothing, weights):
    smoothed = np.eye(3)[TARGETS] * (1 - smoothing) + smoothing / 3
    losses = -(smoothed * log_softmax(LOGITS)).sum(axis=1)
    given = make_task(label_smoothing=smoothing).loss()(TARGETS, LOGITS, sample_weight=weights)
    weights = np.ones(4) if weights is None else np.array(weights)
    # a device whose rows all fill up a batch has nothing to say, and does not divide by nothing
    expected = (losses * weights).sum() / weights.sum() if weights.any() else 0.0
    np.testing.assert_allclose(given, expected, rtol=1e-5)


def test_targets_are_places_in_the_labels():
    assert make_task().targets(["unsure", "bad"]).tolist() == [2, 0]


def test_scores_are_those_of_scikit_learn():
    scores = make_task().score(LOGITS, TARGETS)
    predicted = [0, 0, 1, 0]
    assert scores == {
        "accuracy": pytest.approx(0.5),
        "macro_f1": pytest.approx(metrics.f1_score(TARGETS, predicted, average="macro", zero_division=0)),
        "loss": pytest.approx(-log_softmax(LOGITS)[range(4), TARGETS].mean()),
    }
    assert all(isinstance(score, float) for score in scores.values())


def test_served_outputs_are_strings_and_agree():
    truncated = tf.constant([False, True, False, False])
    found = {name: each.numpy() for name, each in make_task().serving_outputs(tf.constant(LOGITS), truncated).items()}
    assert found["label"].tolist() == [b"bad", b"bad", b"good", b"bad"]
    np.testing.assert_allclose(found["probabilities"], np.exp(log_softmax(LOGITS)), atol=1e-6)
    np.testing.assert_array_equal(found["score"], found["probabilities"].max(axis=1))
    assert found["truncated"].tolist() == truncated.numpy().tolist() and not found["abstain"].any()


@pytest.mark.parametrize(
    "pooling, pooled",
    [
        ("pooler", lambda outputs, mask: outputs["pooled_output"]),
        ("auto", lambda outputs, mask: outputs["pooled_output"]),
        ("first", lambda outputs, mask: outputs["sequence_output"][:, 0]),
        (
            "mean",
            lambda outputs, mask: (
                (outputs["sequence_output"] * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None]
            ),
        ),
    ],
)
def test_the_head_stands_on_what_pooling_names(bert_folder, tmp_path, pooling, pooled):
    encoder, task = load_encoder(str(bert_folder), tmp_path, 24), make_task(pooling=pooling)
    model = task.build(encoder)
    features, _ = encoder.preprocessor(["the film is great", "bad"])
    outputs = {name: each.numpy() for name, each in encoder.backbone(features).items()}
    expected = pooled(outputs, features["padding_mask"].numpy())
    np.testing.assert_allclose(task.embedder(model)(features), expected, atol=1e-6)
    head = model.get_layer("logits")
    assert head.compute_dtype == "float32" and model.output_shape == (None, 3)
    np.testing.assert_allclose(model(features), expected @ head.kernel.numpy() + head.bias.numpy(), atol=1e-5)


def test_logits_stay_float32_in_mixed_precision(bert_folder, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        encoder, task = load_encoder(str(bert_folder), tmp_path, 24), make_task(pooling="mean")
        model = task.build(encoder)
        logits = model(encoder.preprocessor(["the film"])[0])
    finally:
        keras.config.set_dtype_policy("float32")
    assert logits.dtype == tf.float32 and {v.dtype for v in model.weights} == {"float32"}
    assert encoder.backbone.get_layer("transformer_layer_0").compute_dtype == "bfloat16"


@pytest.mark.parametrize(
    "write", [lambda folder: tiny_encoders.bert_folder(folder, pooler=False), tiny_encoders.distilbert_folder]
)
def test_a_pooler_that_is_not_there(write, tmp_path):
    encoder = load_encoder(str(write(tmp_path / "tiny")), tmp_path, 24)
    with pytest.raises(UserError, match="--pooling=pooler: tiny has no pooler; give --pooling=first or --pooling=mean"):
        make_task(pooling="pooler").build(encoder)
    features, _ = encoder.preprocessor(["the film is great", "bad"])
    found = encoder.backbone(features)
    first = (found["sequence_output"] if isinstance(found, dict) else found)[:, 0]
    task = make_task(pooling="auto")
    np.testing.assert_allclose(task.embedder(task.build(encoder))(features), first, atol=1e-6)
