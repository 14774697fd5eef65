"""AdamW as BERT is fine-tuned with it: warm-up and decay, no decay on biases and norms, layer-wise learning rates."""

import math
import re

import keras
import tensorflow as tf

_UNDECAYED = ("bias", "output_bias", "gamma", "beta")  # biases and layer norms, by the last part of a variable's path


@keras.saving.register_keras_serializable("slipway")
class WarmupDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Linear rise from 0 over the first `warmup` of all steps, then linear, cosine or no decay to 0.

    Args:
        peak: float, the highest learning rate.
        steps: int, all steps of the run.
        warmup: float, share of `steps`.
        decay: "linear", "cosine" or "constant".
    """

    def __init__(self, peak, steps, warmup=0.0, decay="linear"):
        self.peak, self.steps, self.warmup, self.decay = peak, steps, warmup, decay

    def __call__(self, step):
        """Step `<int>[]`, from 0, to the learning rate `<float32>[]`."""
        step = tf.cast(step, tf.float32)
        warmup_steps = round(self.warmup * self.steps)
        rising = step / max(1, warmup_steps)
        done = tf.clip_by_value((step - warmup_steps) / max(1, self.steps - warmup_steps), 0.0, 1.0)
        falling = {
            "linear": lambda: 1.0 - done,
            "cosine": lambda: 0.5 * (1.0 + tf.cos(math.pi * done)),
            "constant": lambda: tf.ones_like(done),
        }[self.decay]()
        return self.peak * tf.where(step < warmup_steps, rising, falling)

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup, "decay": self.decay}


class AdamW(keras.optimizers.AdamW):
    """Keras' AdamW with one fused update over all variables, dense gradients and a learning rate per layer.

    The clipping, the decay and the update are one function: compiled by XLA it reads and writes each weight once,
    where the op-by-op form passes over memory a dozen times (MiniLM, 2 cores: 170 ms become 50 ms a step).
    `gradient_norm` `<float32>[]` is that of the last update before clipping, over all replicas and accumulated
    batches; NaN before the first. It is no part of `variables`, and so of no checkpoint.

    Args:
        schedule: learning-rate schedule.
        weight_decay, clip_norm, accumulation: see the flags of the same names.
        rate_of: callable, variable path to its share of the learning rate.
        jit_update: bool, compile the update with XLA.
    """

    def __init__(
        self, schedule, *, weight_decay, clip_norm, accumulation=1, rate_of=lambda path: 1.0, jit_update=False
    ):
        super().__init__(
            learning_rate=schedule,
            weight_decay=weight_decay,
            beta_1=0.9,
            beta_2=0.999,
            epsilon=1e-8,
            gradient_accumulation_steps=accumulation if accumulation > 1 else None,
        )
        self._clip_norm = clip_norm
        self._rate_of = rate_of
        self._jit_update = jit_update

    def build(self, variables):
        super().build(variables)
        self._rates = [self._rate_of(v.path) for v in variables]
        self._decays = [0.0 if is_undecayed(v.path) else self.weight_decay for v in variables]
        with self._distribution_strategy.scope():
            self.gradient_norm = tf.Variable(math.nan, trainable=False, dtype=tf.float32, name="gradient_norm")

    def apply(self, grads, trainable_variables=None):
        # An embedding's gradient comes as slices. Its moments decay for every row, as in the reference, but the rows
        # that a batch does not have need no gradient of zeros to be written and read.
        alone = self._distribution_strategy.num_replicas_in_sync == 1 and not self.gradient_accumulation_steps
        if not (alone and self._jit_update):
            grads = [tf.convert_to_tensor(g) if g is not None else None for g in grads]
        super().apply(grads, trainable_variables)

    def _clip_gradients(self, grads):
        return grads  # part of the update below

    def _apply_weight_decay(self, variables):
        """Part of the update below."""

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        index = [self._get_variable_index(v) for v in trainable_variables]
        learning_rate = tf.cast(learning_rate, tf.float32)
        if self._distribution_strategy.num_replicas_in_sync == 1:
            return self._update_alone([_summed(g) for g in grads], index, learning_rate)
        variables = [self._trainable_variables[i].value for i in index]
        pairs = self._all_reduce_sum_gradients(list(zip(grads, variables, strict=True)))
        norm = _norm([g for g, _ in pairs])  # of the summed gradients
        share = self._kept_share(norm)
        grads = [g * tf.cast(share, g.dtype) for g, _ in pairs]
        tf.__internal__.distribute.interim.maybe_merge_call(
            self._update_replicated, self._distribution_strategy, grads, norm, index, learning_rate
        )

    def _update_alone(self, grads, index, learning_rate):
        """One update on one device; gradients are tensors, or IndexedSlices with each row once."""
        norm = _norm(grads)  # not in the function: XLA reduces a large matrix to one number three times slower
        self.gradient_norm.assign(norm)
        share = self._kept_share(norm)
        for grad, i in zip(grads, index, strict=True):
            if isinstance(grad, tf.IndexedSlices):
                self._add_rows(self._momentums[i].value, grad.values * share, grad.indices, self.beta_1)
                self._add_rows(self._velocities[i].value, tf.square(grad.values * share), grad.indices, self.beta_2)
        dense = [None if isinstance(grad, tf.IndexedSlices) else grad for grad in grads]
        # A function per trace: the variables it captures are then those of this optimizer and no other.
        update = tf.function(self._fused_update, jit_compile=self._jit_update, autograph=False)
        update(dense, share, tuple(index), learning_rate, self._iteration())

    def _add_rows(self, moment, rows, indices, beta):
        """Adds a gradient's rows before the moment decays: beta · (moment + (1 − beta) / beta · rows)."""
        moment.scatter_add(tf.IndexedSlices(rows * ((1.0 - beta) / beta), indices))

    def _kept_share(self, norm):
        """What gradients of the global norm `norm` are scaled by, so that it is at most clip_norm; 0 clips nothing."""
        return self._clip_norm / tf.maximum(norm, self._clip_norm) if self._clip_norm else tf.ones_like(norm)

    def _scalars(self, learning_rate, step):
        """What is the same for all weights: (rate, unbiasing of the momentum, that of the velocity)."""
        return learning_rate, 1.0 / (1.0 - tf.pow(self.beta_1, step)), 1.0 / (1.0 - tf.pow(self.beta_2, step))

    def _iteration(self):
        return tf.cast(self.iterations, tf.float32) + 1.0

    def _fused_update(self, grads, share, index, learning_rate, step):
        scalars = self._scalars(learning_rate, step)
        for grad, i in zip(grads, index, strict=True):
            self._update_one(
                self._trainable_variables[i].value,
                self._momentums[i].value,
                self._velocities[i].value,
                None if grad is None else grad * tf.cast(share, grad.dtype),
                *scalars,
                rate=self._rates[i],
                decay=self._decays[i],
            )

    def _update_replicated(self, strategy, grads, norm, index, learning_rate):
        strategy.extended.update(self.gradient_norm, lambda kept, found: kept.assign(found), args=(norm,), group=False)
        scalars = self._scalars(learning_rate, self._iteration())
        for grad, i in zip(grads, index, strict=True):
            args = (self._momentums[i].value, self._velocities[i].value, grad, *scalars)
            fixed = {"rate": self._rates[i], "decay": self._decays[i]}
            strategy.extended.update(
                self._trainable_variables[i].value, self._update_one, args=args, kwargs=fixed, group=False
            )

    def _update_one(
        self, variable, momentum, velocity, grad, learning_rate, unbias_momentum, unbias_velocity, *, rate, decay
    ):
        """Decoupled weight decay regularization, https://arxiv.org/abs/1711.05101, algorithm 2.

        grad: None where the moments hold it already.
        """
        new_momentum, new_velocity = self.beta_1 * momentum, self.beta_2 * velocity
        if grad is not None:
            grad = tf.cast(grad, variable.dtype)
            new_momentum += (1.0 - self.beta_1) * grad
            new_velocity += (1.0 - self.beta_2) * tf.square(grad)
        # As in the paper and in PyTorch, epsilon is added to the unbiased root; Keras adds it to the biased one, which
        # in the first hundred steps makes it up to thirty times as large and holds small gradients back.
        change = new_momentum * unbias_momentum / (tf.sqrt(new_velocity * unbias_velocity) + self.epsilon)
        if decay:
            change += decay * variable
        momentum.assign(new_momentum)
        velocity.assign(new_velocity)
        variable.assign_sub(learning_rate * rate * change)


def is_undecayed(path):
    """Whether weight decay leaves the variable at `path` alone."""
    return path.rsplit("/", 1)[-1] in _UNDECAYED


def layer_rates(layer_decay, num_layers):
    """Callable from a variable's path to its share of the learning rate.

    The head and what lies above the encoder's layers has 1; the top layer `layer_decay`, the next its square, and
    so on down to the embeddings. Source: ELECTRA, https://arxiv.org/abs/2003.10555, appendix.
    """

    def rate_of(path):
        layer = re.search(r"transformer_layer_(\d+)", path)
        if layer:
            return layer_decay ** (num_layers - int(layer.group(1)))
        return layer_decay ** (num_layers + 1) if "embedding" in path.split("/")[0] else 1.0

    return rate_of


def _summed(grad):
    """The gradient; of slices, those of the same row added up, so that each row is there once."""
    if not isinstance(grad, tf.IndexedSlices):
        return grad
    rows, places = tf.unique(grad.indices)
    return tf.IndexedSlices(tf.math.unsorted_segment_sum(grad.values, places, tf.size(rows)), rows, grad.dense_shape)


def _norm(grads):
    """Global norm `<float32>[]` of all gradients together."""
    parts = [g.values if isinstance(g, tf.IndexedSlices) else g for g in grads]
    return tf.sqrt(2.0 * tf.add_n([tf.nn.l2_loss(tf.cast(part, tf.float32)) for part in parts]))
