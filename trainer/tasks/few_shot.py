"""One label per text from a few rows of each: vectors from pairs of rows, then a logistic regression on them.

Source: SetFit, https://arxiv.org/abs/2209.11055; it encodes both texts of each pair, here a batch of rows is all pairs
of its rows.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression

from trainer.tasks.fitted_head import FittedHead
from trainer.tasks.losses import PairCosine

_ITERATIONS = 1000  # at most; some dozen rows take fewer than 100


class FewShot(FittedHead):
    """Classification, learned by --learning=few_shot."""

    learning = "few_shot"

    def loss(self):
        """A loss of ids `<int>[batch]` and unit vectors `<float32>[batch, hidden]`."""
        return PairCosine()

    def head_of(self, vectors, targets):
        """(kernel `<float>[hidden, labels]`, bias `<float>[labels]`) of scikit-learn's LogisticRegression."""
        fitted = LogisticRegression(max_iter=_ITERATIONS).fit(vectors, targets, self.row_weights(targets))
        if len(fitted.coef_) > 1:
            return fitted.coef_.T, fitted.intercept_
        # of two labels it gives the log odds of the second one: half of them for each, so that the softmax is theirs
        halves = np.array([-0.5, 0.5])
        return fitted.coef_.T * halves, fitted.intercept_ * halves
