"""One label per text, where training moves the vectors alone and the head is fitted to them afterwards."""

import keras

from trainer.models.pooling import pool
from trainer.tasks.classification import Classification


class FittedHead(Classification):
    """Classification over unit vectors; its answers, decisions and versions are those of Classification.

    What takes its place in the loop: `learner` is trained, `answering` is evaluated, and before each evaluation
    `fit_head` gets the vectors of the training rows. A class of it has `learning`, its name for --learning, `loss` and
    `head_of`.
    """

    fine_tuned = True

    @classmethod
    def of(cls, learned, text_pair, config, class_weights=None):
        task = super().of(learned, text_pair, config, class_weights)
        task.fine_tuned = config.optimizer.epochs > 0
        return task

    def stated(self):
        """What contract.json says of it besides labels and decisions."""
        return super().stated() | {"learning": self.learning, "fine_tuned": self.fine_tuned}

    def build(self, encoder):
        """keras.Model: the encoder's inputs to logits `<float32>[batch, labels]`, 0 of a head that is not fitted."""
        how = "mean" if self.config.pooling == "auto" else self.config.pooling  # as sentence encoders are trained
        pooled = keras.layers.Identity(name="pooled", dtype="float32")(pool(encoder, how))
        unit = keras.layers.UnitNormalization(name="embedding", dtype="float32", axis=-1)(pooled)
        # not trainable: no step moves it
        head = keras.layers.Dense(
            self.outputs, kernel_initializer="zeros", trainable=False, name="logits", dtype="float32"
        )
        return self.with_vectors(keras.Model(encoder.backbone.input, head(unit), name=self.name))

    def learner(self, model):
        """keras.Model that shares all weights of `model`, the head's too, to unit vectors `<float>[batch, hidden]`."""
        learner = self.embedder(model)
        learner.head = model.get_layer("logits")  # a layer of it, so that its checkpoints hold the head
        return learner

    def answering(self, learner):
        """The model of a learner that answers logits."""
        return keras.Model(learner.input, learner.head(learner.output), name=self.name)

    def metrics(self):
        return []  # there are no logits to show while training

    def fit_head(self, learner, vectors, targets):
        """Gives the head its weights.

        Args:
            learner: as of `learner`. vectors: `<float32>[rows, hidden]`, of the training rows; targets: `<int>[rows]`.
        """
        kernel, bias = self.head_of(vectors, targets)
        learner.head.set_weights([kernel.astype("float32"), bias.astype("float32")])
