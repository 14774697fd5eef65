"""AdamW against the paper's formulas in numpy and against Keras' own, compiled and not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.loop.optimizer import AdamW, WarmupDecay, is_undecayed, layer_rates

NAMES = ("kernel", "bias", "gamma", "beta", "embeddings")
SHAPES = ((4, 3), (3,), (3,), (3,), (6, 4))
STEPS = 6


def variables():
    rng = np.random.default_rng(0)
    return [
        keras.Variable(rng.normal(size=shape), dtype="float32", name=name)
        for name, shape in zip(NAMES, SHAPES, strict=True)
    ]


def gradients(steps=STEPS, scale=1.0):
    rng = np.random.default_rng(1)
    return [[(rng.normal(size=shape) * scale).astype(np.float32) for shape in SHAPES] for _ in range(steps)]


def adamw(*, jit=False, clip_norm=1.0, weight_decay=0.1, accumulation=1, rate_of=lambda path: 1.0, schedule=None):
    return AdamW(
        schedule or WarmupDecay(0.01, STEPS, 0.3),
        weight_decay=weight_decay,
        clip_norm=clip_norm,
        accumulation=accumulation,
        rate_of=rate_of,
        jit_update=jit,
    )


def apply_all(optimizer, steps, found=None):
    """The variables after every gradient, applied inside a tf.function as fit does."""
    found = found or variables()
    if not optimizer.built:
        optimizer.build(found)
    step = tf.function(lambda grads: optimizer.apply(grads, found), autograph=False)
    for grads in steps:
        step([tf.constant(grad) for grad in grads])
    return [variable.numpy() for variable in found]


def in_numpy(steps, *, clip_norm, weight_decay, rates=(1.0,) * 5, schedule=None):
    """Decoupled weight decay regularization, https://arxiv.org/abs/1711.05101, algorithm 2, in float64."""
    weights = [v.numpy().astype(np.float64) for v in variables()]
    first, second = ([np.zeros(shape) for shape in SHAPES] for _ in range(2))
    schedule = schedule or (lambda step: 0.01 * (step / 2 if step < 2 else 1 - (step - 2) / 4))
    for step, grads in enumerate(steps):
        norm = np.sqrt(sum((grad.astype(np.float64) ** 2).sum() for grad in grads))
        for i, grad in enumerate(grads):
            grad = grad * min(1.0, clip_norm / norm) if clip_norm else grad
            first[i] = 0.9 * first[i] + 0.1 * grad
            second[i] = 0.999 * second[i] + 0.001 * grad**2
            unbiased = (first[i] / (1 - 0.9 ** (step + 1)), second[i] / (1 - 0.999 ** (step + 1)))
            change = unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
            decay = weight_decay if NAMES[i] in ("kernel", "embeddings") else 0.0
            weights[i] -= schedule(step) * rates[i] * (change + decay * weights[i])
    return weights


def assert_close(given, expected, atol=2e-6):
    for name, a, b in zip(NAMES, given, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=atol, err_msg=name)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("clip_norm, scale", [(1.0, 1.0), (1.0, 0.01), (0.0, 1.0), (0.0, 1e-7)])
def test_equals_the_paper(jit, clip_norm, scale):
    steps = gradients(scale=scale)
    given = apply_all(adamw(jit=jit, clip_norm=clip_norm), steps)
    assert_close(given, in_numpy(steps, clip_norm=clip_norm, weight_decay=0.1))


def test_equals_keras():
    theirs = keras.optimizers.AdamW(
        WarmupDecay(0.01, STEPS, 0.3), weight_decay=0.1, global_clipnorm=1.0, epsilon=1e-8, beta_2=0.999
    )
    theirs.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    assert_close(apply_all(adamw(), gradients()), apply_all(theirs, gradients()), atol=1e-6)


def test_layers_have_rates_of_their_own():
    rates = dict(zip(NAMES, (1.0, 0.5, 0.25, 0.0, 2.0), strict=True))
    given = apply_all(adamw(rate_of=lambda path: rates[path.rsplit("/", 1)[-1]]), gradients())
    expected = in_numpy(gradients(), clip_norm=1.0, weight_decay=0.1, rates=tuple(rates.values()))
    assert_close(given, expected)
    np.testing.assert_array_equal(given[3], variables()[3].numpy())


@pytest.mark.parametrize("jit", [False, True])
def test_accumulated_gradients_are_one_mean_gradient(jit):
    """Two half batches move the weights as one whole batch does; the schedule counts batches."""
    halves = gradients(2 * STEPS)
    whole = [[(a + b) / 2 for a, b in zip(*pair, strict=True)] for pair in zip(halves[::2], halves[1::2], strict=True)]
    slow = WarmupDecay(0.01, 2 * STEPS, 0.25)
    given = apply_all(adamw(jit=jit, accumulation=2, schedule=slow), halves)
    expected = in_numpy(whole, clip_norm=1.0, weight_decay=0.1, schedule=lambda step: float(slow(2 * step + 1)))
    assert_close(given, expected)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("clip_norm", [1.0, 0.0])
def test_it_keeps_the_norm_of_the_last_gradient_before_clipping(jit, clip_norm):
    optimizer = adamw(jit=jit, clip_norm=clip_norm)
    apply_all(optimizer, gradients())
    assert optimizer.gradient_norm.numpy() == pytest.approx(norm(gradients()[-1]), rel=1e-5)
    assert all(v.path != optimizer.gradient_norm.name for v in optimizer.variables)


def test_the_norm_of_accumulated_gradients_is_that_of_their_mean():
    optimizer, steps = adamw(accumulation=2), gradients(5)
    found = variables()
    apply_all(optimizer, steps[:1], found)
    assert np.isnan(optimizer.gradient_norm.numpy()), "no update yet"
    apply_all(optimizer, steps[1:4], found)
    mean = [(a + b) / 2 for a, b in zip(*steps[2:4], strict=True)]
    assert optimizer.gradient_norm.numpy() == pytest.approx(norm(mean), rel=1e-5)
    apply_all(optimizer, steps[4:], found)
    assert optimizer.gradient_norm.numpy() == pytest.approx(norm(mean), rel=1e-5)


def norm(grads):
    return float(np.sqrt(sum((grad.astype(np.float64) ** 2).sum() for grad in grads)))


def test_no_weight_moves_before_the_last_of_the_accumulated_batches():
    given = apply_all(adamw(accumulation=3), gradients(2))
    assert_close(given, [v.numpy() for v in variables()], atol=0)


@pytest.mark.parametrize("jit", [False, True])
def test_gradients_of_embeddings_come_as_slices(jit):
    """Rows that no text asked for still lose their momentum and decay, as in the reference."""
    table = keras.Variable(np.ones((6, 4)), dtype="float32", name="embeddings")
    dense_table = keras.Variable(np.ones((6, 4)), dtype="float32", name="embeddings")
    optimizer, other = adamw(jit=jit), adamw(jit=jit)
    optimizer.build([table])
    other.build([dense_table])

    @tf.function
    def step(rows):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(table.value, rows) ** 2)
        grad = tape.gradient(loss, table.value)
        assert isinstance(grad, tf.IndexedSlices)
        optimizer.apply([grad], [table])
        return tf.convert_to_tensor(grad)

    for rows in ([0, 1, 1], [2, 0, 0], [5, 5, 5]):
        dense = step(tf.constant(rows))
        other.apply([dense], [dense_table])
    np.testing.assert_allclose(table.numpy(), dense_table.numpy(), atol=1e-7)
    assert (table.numpy()[3:5] < 1).all() and (table.numpy()[0] < table.numpy()[3]).all()


def test_variables_without_a_gradient_stay():
    found = variables()
    optimizer = adamw(jit=True, schedule=WarmupDecay(0.01, STEPS))
    optimizer.build(found)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([None if i == 2 else tf.ones(shape) for i, shape in enumerate(SHAPES)], found)
    assert_close([found[2].numpy()] * 5, [variables()[2].numpy()] * 5, atol=0)
    assert not np.array_equal(found[3].numpy(), variables()[3].numpy())


def curve(steps=10, **given):
    schedule = WarmupDecay(2.0, steps, **given)
    return [round(float(schedule(step)), 4) for step in range(steps + 1)]


def test_schedules():
    assert curve() == [2.0, 1.8, 1.6, 1.4, 1.2, 1.0, 0.8, 0.6, 0.4, 0.2, 0.0]
    assert curve(warmup=0.2) == [0.0, 1.0, 2.0, 1.75, 1.5, 1.25, 1.0, 0.75, 0.5, 0.25, 0.0]
    assert curve(decay="constant", warmup=0.5) == [0.0, 0.4, 0.8, 1.2, 1.6, *[2.0] * 6]
    cosine = curve(decay="cosine")
    assert cosine[0] == 2.0 and cosine[5] == 1.0 and cosine[10] == 0.0 and cosine[1] > 1.8
    assert curve(warmup=1.0)[-2:] == [1.8, 2.0]
    assert curve(steps=1) == [2.0, 0.0]


def test_the_schedule_survives_its_config():
    schedule = WarmupDecay(0.1, 7, 0.3, "cosine")
    assert [float(WarmupDecay.from_config(schedule.get_config())(s)) for s in range(7)] == [
        float(schedule(s)) for s in range(7)
    ]


@pytest.mark.parametrize(
    "path, undecayed",
    [
        ("transformer_layer_0/self_attention_layer/query/kernel", False),
        ("transformer_layer_0/self_attention_layer/query/bias", True),
        ("transformer_layer_1/feedforward_layer_norm/gamma", True),
        ("embeddings_layer_norm/beta", True),
        ("token_embedding/embeddings", False),
        ("logits/bias", True),
    ],
)
def test_what_is_not_decayed(path, undecayed):
    assert is_undecayed(path) == undecayed


def test_rates_fall_from_the_head_down():
    rate_of = layer_rates(0.5, 2)
    assert [rate_of(f"transformer_layer_{i}/x/kernel") for i in (1, 0)] == [0.5, 0.25]
    assert rate_of("token_embedding/embeddings") == rate_of("embeddings_layer_norm/gamma") == 0.125
    assert rate_of("logits/kernel") == rate_of("pooled_dense/bias") == 1.0
