"""Over real tokens alone every encoder gives the vectors, and the gradients, that it gives over a padded batch."""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from trainer.models import unpadded
from trainer.models.encoder import Encoder
from trainer.models.pooling import pool, token_vectors, tokens_and_pooled

WORDS = 50
SIZES = {"vocabulary_size": WORDS, "num_layers": 3, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 16}
BACKBONES = {
    "bert": keras_hub.models.BertBackbone,
    "distil_bert": keras_hub.models.DistilBertBackbone,
    "roberta": keras_hub.models.RobertaBackbone,
    "xlm_roberta": keras_hub.models.XLMRobertaBackbone,
}


@pytest.fixture(scope="module", params=BACKBONES)
def encoder(request):
    """Encoder with weights of some size everywhere, so that no part of it can be left out unseen."""
    backbone = BACKBONES[request.param](max_sequence_length=16, **SIZES)
    random = np.random.default_rng(1)
    for variable in backbone.trainable_variables:
        variable.assign(random.normal(0.1, 0.5, variable.shape))
    return Encoder(backbone, None, request.param == "bert", request.param, "", "")


def models(encoder, how, **unpadded):
    """(model over padded tensors, the same over real tokens alone)."""
    return [keras.Model(e.backbone.input, pool(e, how)) for e in (encoder, encoder.over_real_tokens(**unpadded))]


def poolings(encoder):
    return ("pooler", "first", "mean") if encoder.has_pooler else ("first", "mean")


def features(encoder, lengths, seed=0):
    """Texts of these lengths in tokens, padded; the last third of each is its second segment."""
    random, lengths = np.random.default_rng(seed), np.array(lengths)
    places = np.arange(max(lengths))[None, :]
    made = {
        "token_ids": np.where(places < lengths[:, None], random.integers(1, WORDS, (len(lengths), max(lengths))), 0),
        "padding_mask": places < lengths[:, None],
        "segment_ids": (places < lengths[:, None]) & (places >= 2 * lengths[:, None] // 3),
    }
    return {name: tf.constant(made[name].astype(np.int32)) for name in encoder.backbone.input}


BATCHES = ([5], [1], [3, 9], [2] * 3, [16, 1, 4, 7, 7], list(range(1, 17)), [4] * 33, [1] * 8 + [16] * 9)


@pytest.fixture(scope="module")
def unchanged(encoder):
    """{pooling: its two models}, for tests that only ask them."""
    return {how: models(encoder, how) for how in poolings(encoder)}


@pytest.mark.parametrize("lengths", BATCHES, ids=str)
def test_the_same_vectors(encoder, unchanged, lengths):
    given = features(encoder, lengths)
    for padded, real in unchanged.values():
        np.testing.assert_allclose(real(given), padded(given), atol=2e-5)


def together(encoder, how):
    """Token vectors, those of padding 0, and one vector per text, of one pass; `models` of both at once."""
    found = []
    for each in (encoder, encoder.over_real_tokens(compiled=True)):
        tokens, pooled = tokens_and_pooled(each, how)
        mask = keras.ops.cast(each.backbone.input["padding_mask"], "float32")[:, :, None]
        found.append(keras.Model(each.backbone.input, [tokens * mask, pooled]))
    return found


@pytest.mark.parametrize("lengths", [[5], [3, 9], [16, 1, 4, 7, 7]], ids=str)
def test_the_same_token_vectors_alone_and_beside_those_of_texts(encoder, lengths):
    given = features(encoder, lengths)
    alone = keras.Model(encoder.backbone.input, token_vectors(encoder.over_real_tokens()))
    for how in poolings(encoder):
        padded, real = together(encoder, how)
        for found, expected in zip(real(given), padded(given), strict=True):
            np.testing.assert_allclose(found, expected, atol=2e-5)
        np.testing.assert_allclose(alone(given), padded(given)[0], atol=2e-5)


def test_the_same_gradients_of_tokens_and_texts(encoder):
    given = features(encoder, [16, 1, 4, 7, 7, 2])
    for how in poolings(encoder):
        padded, real = together(encoder, how)
        real.get_layer("unpadded").dropout = 0.0
        expected, found = ({}, {})
        for model, gradients_of, training in ((padded, expected, False), (real, found, True)):
            with tf.GradientTape() as tape:
                tokens, pooled = model(given, training=training)
                loss = tf.reduce_sum(tokens**2) + tf.reduce_sum(pooled**3)
            variables = model.trainable_variables
            each = tape.gradient(loss, [variable.value for variable in variables])
            gradients_of |= {v.path: tf.convert_to_tensor(g).numpy() for v, g in zip(variables, each, strict=True)}
        assert list(expected) == list(found)
        for path, gradient in expected.items():
            np.testing.assert_allclose(found[path], gradient, rtol=2e-3, atol=2e-2, err_msg=f"{how} {path}")


@pytest.mark.parametrize("compiled", [False, True])
def test_the_same_gradients(encoder, compiled):
    given = features(encoder, [16, 1, 4, 7, 7, 2, 9, 12, 3, 3, 5])
    for how in poolings(encoder):
        padded, real = models(encoder, how, compiled=compiled)
        real.get_layer("unpadded").dropout = 0.0
        toward = np.random.default_rng(2).normal(size=padded(given).shape).astype(np.float32)
        expected, found = gradients(padded, given, toward, False), gradients(real, given, toward, True)
        assert list(expected) == list(found)
        for path, gradient in expected.items():
            np.testing.assert_allclose(found[path], gradient, atol=2e-4, err_msg=f"{how} {path}")


def test_the_gradients_of_bfloat16_point_the_same_way(encoder):
    given = features(encoder, [16, 1, 4, 7, 7, 2, 9, 12, 3, 3, 5])
    padded, real = models(encoder, "mean", precision="bfloat16", compiled=True)
    real.get_layer("unpadded").dropout = 0.0
    toward = np.random.default_rng(2).normal(size=padded(given).shape).astype(np.float32)
    expected, found = gradients(padded, given, toward, False), gradients(real, given, toward, True)
    assert all(gradient.dtype == np.float32 for gradient in found.values())
    one, other = (np.concatenate([each.ravel() for each in of.values()]) for of in (expected, found))
    assert 0 < np.abs(one - other).max() and one @ other > 0.98 * np.linalg.norm(one) * np.linalg.norm(other)
    assert 0.9 < np.linalg.norm(other) / np.linalg.norm(one) < 1.1


def gradients(model, given, toward, training):
    with tf.GradientTape() as tape:
        along = tf.reduce_sum(model(given, training=training) * toward)
    found = tape.gradient(along, [variable.value for variable in model.trainable_variables])
    pairs = zip(model.trainable_variables, found, strict=True)
    return {variable.path: tf.convert_to_tensor(gradient).numpy() for variable, gradient in pairs}


def test_the_weights_are_the_same_ones_in_the_same_order(encoder):
    for how in poolings(encoder):
        padded, real = models(encoder, how)
        assert [id(weight) for weight in padded.weights] == [id(weight) for weight in real.weights]


def test_what_is_frozen_stays_while_the_weights_move(encoder):
    _, real = models(encoder, "first")
    given = features(encoder, [3, 9])
    before = real(given).numpy()
    real.get_layer("unpadded").freeze()
    np.testing.assert_allclose(real(given), before, atol=1e-6)
    weight = real.trainable_variables[0]
    weight.assign(2 * weight)
    np.testing.assert_allclose(real(given), before, atol=1e-6)
    assert np.abs(models(encoder, "first")[1](given) - before).max() > 1e-3
    weight.assign(weight / 2)


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_in_fewer_bits_the_vectors_are_almost_the_same(encoder, precision):
    given = features(encoder, [16, 1, 4, 7, 7])
    for how in poolings(encoder):
        _, real = models(encoder, how)
        exact = real(given).numpy()
        real.get_layer("unpadded").freeze(precision)
        near = tf.function(lambda model=real: model(given))().numpy()
        assert near.dtype == np.float32
        assert 1e-5 < np.abs(near - exact).max() < 0.1 * np.abs(exact).max()


def test_dropout_drops_its_share_and_no_two_draws_are_the_same(encoder):
    _, real = models(encoder, "first")
    layer, given = real.get_layer("unpadded"), features(encoder, [8] * 12)
    layer.dropout = 0.25
    kept = layer._drop(tf.ones([200, 200])).numpy()
    assert abs((kept == 0).mean() - 0.25) < 0.02 and set(np.unique(kept)) == {0, np.float32(1 / 0.75)}
    draws = [real(given, training=True).numpy() for _ in range(3)]
    assert len({draw.tobytes() for draw in draws}) == 3
    np.testing.assert_array_equal(real(given), real(given))


def test_attention_pads_in_groups_of_like_length():
    mask = tf.constant((np.arange(64)[None, :] < np.array([64, 2, 63, 2, 3, 60, 2, 61])[:, None]).astype(np.int32))
    made = unpadded.layout(mask)
    assert [(int(texts), int(length)) for texts, length, _ in made.groups] == [(2, 2), (2, 3), (2, 61), (2, 64)]
    assert len(made.padded) == 2 * (2 + 3 + 61 + 64)
    np.testing.assert_array_equal(tf.gather(made.padded, made.back), np.arange(64 + 63 + 60 + 61 + 2 * 3 + 3))


def test_other_kinds_stay_as_they_are():
    backbone = keras_hub.models.AlbertBackbone(embedding_dim=8, max_sequence_length=16, **SIZES)
    encoder = Encoder(backbone, None, False, "albert", "", "")
    assert encoder.over_real_tokens() == encoder and encoder.unpadded is None
