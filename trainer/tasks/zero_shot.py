"""One label per text without a labelled row: the label whose descriptions are nearest.

Source: https://arxiv.org/abs/1909.00161 for the question; here both sides are vectors of one sentence encoder.
"""

import numpy as np

from trainer.tasks.embedding_losses import SCALE
from trainer.tasks.fitted_head import FittedHead
from trainer.tasks.losses import PairCosine


class ZeroShot(FittedHead):
    """Classification by --learning=zero_shot: the training rows are the descriptions, and no step is taken.

    A logit is SCALE times the cosine of the text and the label's mean vector; dev rows, where there are some, fit the
    temperature of it as of any classification.
    """

    learning = "zero_shot"

    def loss(self):
        return PairCosine()  # of no step

    def head_of(self, vectors, targets):
        """(kernel `<float>[hidden, labels]`, bias `<float>[labels]`) of mean vectors, of length 1 again."""
        means = np.stack([vectors[targets == label].mean(axis=0) for label in range(self.outputs)])
        units = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        return SCALE * units.T, np.zeros(self.outputs)
