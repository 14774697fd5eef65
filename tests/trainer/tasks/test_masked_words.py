"""The loss of masked words is that of the reference formulas, over real tokens alone as over padded ones."""

import json
import math

import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf

from tests import tiny_encoders
from tests.tiny_encoders import VOCABULARY, WIDTH
from trainer.config import Config, UserError
from trainer.models.encoder import load_encoder
from trainer.tasks import TASKS

TEXTS = ["the film is great", "a dull plot , see"]
POSITIONS, ANSWERS = [[2, 4, 0], [3, 0, 0]], [[7, 11, -1], [8, -1, -1]]
HEAD = {
    "cls.predictions.transform.dense.weight": (WIDTH, WIDTH),
    "cls.predictions.transform.dense.bias": (WIDTH,),
    "cls.predictions.transform.LayerNorm.weight": (WIDTH,),
    "cls.predictions.transform.LayerNorm.bias": (WIDTH,),
    "cls.predictions.bias": (len(VOCABULARY),),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The tiny BERT with a head of its own, as BertForMaskedLM saves it."""
    folder = tiny_encoders.bert_folder(tmp_path_factory.mktemp("mlm") / "bert", prefix="bert.")
    arrays, rng = safetensors.numpy.load_file(folder / "model.safetensors"), np.random.default_rng(3)
    arrays |= {name: rng.normal(size=shape).astype(np.float32) for name, shape in HEAD.items()}
    safetensors.numpy.save_file(arrays, folder / "model.safetensors", {"format": "pt"})
    return folder


def task():
    return TASKS["mlm"].of({}, False, Config())


def inputs(encoder):
    features, _ = encoder.preprocessor(TEXTS)
    return features | {"mask_positions": tf.constant(POSITIONS), "mask_ids": tf.constant(ANSWERS)}


def expected(folder, features):
    """Sums of cross-entropies, right ones, and numbers, written down once more in numpy."""
    arrays = safetensors.numpy.load_file(folder / "model.safetensors")
    own = {name.removeprefix("bert."): array for name, array in arrays.items()}
    sequence, _ = tiny_encoders.outputs(own, features)
    dense, norm = "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm"
    x = sequence @ own[f"{dense}.weight"].T + own[f"{dense}.bias"]
    x = 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
    x = x * own[f"{norm}.weight"] + own[f"{norm}.bias"]
    logits = x @ own["embeddings.word_embeddings.weight"].T + own["cls.predictions.bias"]
    logits -= logits.max(-1, keepdims=True)
    likely = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    found = np.zeros((2, 3))
    for row, (positions, answers) in enumerate(zip(POSITIONS, ANSWERS, strict=True)):
        for position, answer in zip(positions, answers, strict=True):
            if answer >= 0:
                right = likely[row, position].argmax() == answer
                found[row] += [-likely[row, position, answer], right, 1]
    return found


@pytest.mark.parametrize("unpadded", [False, True])
def test_it_is_what_the_formulas_say_with_the_folders_own_head(folder, unpadded):
    encoder = load_encoder(str(folder), "", 16)
    encoder = encoder.over_real_tokens() if unpadded else encoder
    found = task().build(encoder)(inputs(encoder), training=False).numpy()
    np.testing.assert_allclose(found, expected(folder, encoder.preprocessor(TEXTS)[0]), rtol=1e-4)


def test_a_batch_without_a_masked_token_has_no_loss(folder):
    encoder = load_encoder(str(folder), "", 16).over_real_tokens()
    features = inputs(encoder) | {"mask_ids": tf.fill([2, 3], -1)}
    told = task().build(encoder)(features, training=False)
    assert not told.numpy().any()
    assert float(task().loss()(tf.zeros(2), told, sample_weight=tf.zeros(2))) == 0.0


def test_loss_and_scores_are_means_over_masked_tokens_not_over_rows():
    told = np.array([[6.0, 1, 3], [1.0, 0, 1], [9.0, 9, 9]], np.float32)
    weights = tf.constant([3.0, 1.0, 0.0])  # the third fills up the batch
    assert float(task().loss()(tf.zeros(3), tf.constant(told), sample_weight=weights)) == pytest.approx(7 / 4)
    (accuracy,) = task().metrics()
    accuracy.update_state(tf.zeros(3), tf.constant(told), weights)
    assert float(accuracy.result()) == pytest.approx(1 / 4)
    scores = task().score(told[:2], None)
    assert scores == pytest.approx({"loss": 1.75, "perplexity": math.exp(1.75), "masked_accuracy": 0.25})


def test_the_heads_weights_are_drawn_where_the_folder_has_none_and_tied(bert_folder):
    encoder = load_encoder(str(bert_folder), "", 16)
    head = task().build(encoder).get_layer("masked").head
    assert not head._bias.numpy().any() and head._intermediate_dense.kernel.numpy().std() < 0.03
    assert any(weight is encoder.backbone.token_embedding.embeddings for weight in head.weights)


def test_a_vocabulary_without_a_mask_token_is_refused(tmp_path):
    vocabulary = [token for token in VOCABULARY if token != "[MASK]"]
    folder = tiny_encoders.bert_folder(tmp_path / "maskless", vocabulary=vocabulary)
    with pytest.raises(UserError, match=r"--task=mlm: maskless: the vocabulary of \d+ tokens has no '\[MASK\]'; give"):
        TASKS["mlm"].check_encoder(load_encoder(str(folder), "", 16), Config())


def test_an_activation_that_is_not_known_is_named(folder, tmp_path):
    other = tiny_encoders.bert_folder(tmp_path / "relu")
    config = json.loads((other / "config.json").read_text()) | {"hidden_act": "relu"}
    (other / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="names the activation 'relu'; allowed are gelu"):
        load_encoder(str(other), "", 16)
