"""Vectors as one answer of several: what --task=embedding is as a head of --task=multi."""

import keras
import numpy as np
from keras import ops

from trainer.tasks.embedding import Embedding, numbered


class EmbeddingHead(Embedding):
    """Vectors from the pass that the other heads share; its cells are [second text, third text or score]."""

    @property
    def columns(self):
        """Texts of a row that it learns from."""
        return 3 if self.embedding.negative_column else 2

    def partners(self, cells):
        """The second texts of the cells, and where there are negatives the third ones: a list of lists of str."""
        return [[cell[place] for cell in cells] for place in range(self.columns - 1)]

    def loss(self):
        """That of the embedding over its own texts of a batch."""
        return OwnTexts(super().loss(), self.columns)

    def rows(self, found):
        """What predictions.jsonl says of each text, of vectors `<float32>[texts, hidden]` or of PairVectors."""
        if isinstance(found, np.ndarray):
            yield from super().rows(found)
            return
        judged = dict(zip(found.rows.tolist(), super().rows(found.pairs()), strict=True)) if len(found.rows) else {}
        for row, plain in enumerate(super().rows(found.vectors)):
            own = judged.get(row, plain)
            yield own | {name: int(found.rows[place]) for name, place in own.items() if name == "nearest_row"}

    def truth(self, cell):
        return super().truth(cell[1]) | {"text_pair": cell[0]}

    def proof_texts(self, texts, cells):
        """(texts, numbers) by which `quality` judges, of texts and their cells."""
        return numbered(texts, [pair for pair, _ in cells])


class OwnTexts(keras.losses.Loss):
    """A loss of the first `columns` texts of each row, of vectors `<float32>[rows · texts, hidden]`.

    Rows of another data set may have fewer; they weigh 0, and any text does for them.
    """

    def __init__(self, loss, columns):
        super().__init__(name="loss")
        self.loss, self.columns = loss, columns

    def __call__(self, target, vectors, sample_weight=None):
        texts = ops.reshape(vectors, (ops.shape(target)[0], -1, vectors.shape[-1]))
        places = ops.minimum(ops.arange(self.columns), ops.shape(texts)[1] - 1)
        own = ops.reshape(ops.take(texts, places, axis=1), (-1, vectors.shape[-1]))
        return self.loss(target, own, sample_weight)
