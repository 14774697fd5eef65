"""What TensorBoard shows of dev after each evaluation where texts are to be found by their vectors."""

import numpy as np
import tensorflow as tf

from trainer.metrics import retrieval
from trainer.report import figures, mistakes
from trainer.report.charts import pixels


class VectorPictures:
    """The observer of trainer.loop.fit.Run: writes to the default summary writer.

    Args:
        texts, pairs: of the dev rows, lists of str: each text, and the one that it should find.
    """

    def __init__(self, texts, pairs):
        self.texts, self.pairs = texts, pairs

    def __call__(self, step, vectors, numbers):
        """vectors `<float32>[rows, columns, hidden]` of length 1; numbers `<int>[rows, columns - 1]`, of each text."""
        queries, answers = vectors[:, 0], vectors[:, 1]
        ranks = retrieval.ranks_of(queries, answers, numbers[:, 0])
        tf.summary.image("pictures/found", pixels(figures.found, ranks), step=step)
        cosine = np.sum(queries * answers, axis=1)
        tf.summary.histogram("cosine/of_its_own", cosine, step=step)
        near = retrieval.nearest(queries, answers)
        names = ("row", "text", "text_pair", "score", "nearest_row")
        columns = (range(len(near)), self.texts, self.pairs, cosine.tolist(), near.tolist())
        found = mistakes.worst_found([dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)])
        tf.summary.text("worst_mistakes", mistakes.markdown(found) if found else "None on dev.", step=step)
