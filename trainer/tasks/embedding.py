"""A vector for each text, near those of texts that belong to it: for search, FAQ, deduplication."""

import keras
import numpy as np
import tensorflow as tf
from scipy import stats

from trainer.config import UserError
from trainer.metrics import retrieval
from trainer.models.pooling import pool
from trainer.tasks.embedding_losses import CosineScore, Ranking, ScoreScale
from trainer.tasks.pooled import PooledTask
from trainer.tasks.regression import correlation
from trainer.tasks.undecided import Undecided

_LOSS_ROWS = 32  # dev rows that are each other's negatives in the loss that is shown


class Embedding(PooledTask):
    """Normalised vectors, learned from pairs of texts that belong together, or from how alike two texts are.

    Args:
        model_config, embedding_config: groups of trainer.config. bounds: (low, high) of scores; None for pairs.
        index: trainer.tasks.faq_index.FaqIndex that a version answers `search` from, or None.
    """

    name, column, labels = "embedding", "positive", ()
    compared, unit, quality_name, example_method = "embedding", 1.0, "recall at 1", None
    served = frozenset({"embedding", "truncated"})
    decisions_type = Undecided
    text_pair = False  # a version takes one text; the second one is of training alone

    def __init__(self, model_config, embedding_config, bounds=None, index=None):
        super().__init__(False, model_config)
        self.embedding, self.index = embedding_config, index
        self.scale = ScoreScale(*bounds) if bounds else None
        self.decisions, self.dimensions, self.fine_tuned = Undecided(), 0, True

    @classmethod
    def of(cls, learned, text_pair, config, class_weights=None):
        task = cls(config.model, config.embedding, config.target.bounds())
        task.fine_tuned = config.optimizer.epochs > 0
        return task

    @property
    def learns_scores(self):
        return self.embedding.embedding_loss == "score"

    def build(self, encoder):
        """keras.Model: the encoder's inputs to unit vectors `<float32>[texts, hidden]`."""
        return keras.Model(encoder.backbone.input, self.normalised(pool(encoder, self.pooling)), name=self.name)

    def normalised(self, pooled, prefix=""):
        """Symbolic unit vectors `<float32>[texts, hidden]` of those of texts; prefix: of the layers' names."""
        pooled = keras.layers.Identity(name=f"{prefix}embedding", dtype="float32")(pooled)
        self.dimensions = pooled.shape[-1]
        return keras.layers.UnitNormalization(name=f"{prefix}unit", dtype="float32", axis=-1)(pooled)

    @property
    def pooling(self):
        return "mean" if self.config.pooling == "auto" else self.config.pooling

    def embedder(self, model):
        return model

    def sizes(self):
        """Dimensions of the prefixes of a vector that are vectors too, the whole one among them."""
        return tuple(dict.fromkeys((self.dimensions, *self.embedding.sizes())))

    def loss(self):
        """A loss of vectors `<float32>[rows · columns, hidden]`, the texts of a row one after the other."""
        if self.learns_scores:
            return CosineScore(self.sizes(), self.scale)
        return Ranking(self.sizes())

    def metrics(self):
        return []

    def score(self, vectors, truth):
        """Vectors `<float32>[rows, columns, hidden]` to {metric: float}.

        truth: of scores `<float32>[rows]`; of pairs `<int32>[rows, columns - 1]`, the number of each text, −1 for none.
        """
        if self.learns_scores:
            found = self._score_figures(vectors, truth)
        else:
            found = retrieval.figures(vectors[:, 0], vectors[:, 1], truth[:, 0])
        return found | {"loss": self._loss_of(vectors, truth)}

    def per_class(self, vectors, truth):
        """Nothing: there are no labels."""
        return []

    def scored(self, vectors):
        """Scores `<float>[rows]` of vectors `<float32>[rows, 2, hidden]`, where it learns scores."""
        return np.array([self.scale.score(each) for each in np.sum(vectors[:, 0] * vectors[:, 1], axis=1).tolist()])

    def serving_outputs(self, vectors, truncated):
        """The named outputs of `serving_default`, as TensorFlow ops."""
        return {"embedding": vectors, "truncated": truncated}

    def further(self, model, preprocessor):
        """{signature: callable of texts} besides serving_default."""

        def embed(text):
            features, _ = preprocessor(text)
            return {"embedding": model(features, training=False)}

        def search(text):
            return self.index.search(embed(text)["embedding"])

        return {"embed": embed} | ({"search": search} if self.index else {})

    def cells(self, vectors):
        """Nothing stands in a label column for a vector: empty texts, a list of str."""
        return [""] * len(vectors)

    def quality(self, answers, numbers):
        """Share of the texts whose nearest other one in {output: array over rows} has the same number."""
        vectors, numbers = answers["embedding"], np.array(numbers)
        return float(np.mean(numbers[retrieval.nearest_others(vectors)] == numbers))

    def proof_rows(self, table):
        """(texts, None, numbers) of a dev Table: all its texts once, those that belong together with one number."""
        texts, numbers = numbered(table.texts, table.pairs)
        return texts, None, numbers

    def rows(self, vectors):
        """What predictions.jsonl says of each row: its vector and, where it is judged, how its pair was found."""
        judged = self._judged(vectors) if vectors.ndim == 3 else ({} for _ in vectors)
        for row, told in zip(vectors, judged, strict=True):
            yield {"embedding": np.round(row if row.ndim == 1 else row[0], 6).tolist(), **told}

    def truth(self, cell):
        return {"true_value": float(cell)} if self.learns_scores else {"true_rank": 1}

    def stated(self):
        """What contract.json says of it besides labels and decisions."""
        told = {"dimensions": self.dimensions, "matryoshka": list(self.sizes()), "fine_tuned": self.fine_tuned}
        return told | ({"index": self.index.stated()} if self.index else {})

    def check_dev(self, settings, labels):
        """Nothing is decided on dev."""

    def decide(self, settings, logits, targets):
        return self

    def decision_figures(self, judged):
        return {}

    def indexed(self, index):
        """The same task, whose versions answer `search` from a FaqIndex."""
        task = self.decided(self.decisions)
        task.index = index
        return task

    @staticmethod
    def check_encoder(encoder, config):
        dimensions = encoder.backbone.hidden_dim
        wrong = [size for size in config.embedding.sizes() if size > dimensions]
        if wrong:
            raise UserError(
                f"--matryoshka={config.embedding.matryoshka}: the encoder's vectors have {dimensions} dimensions; "
                f"{wrong[0]} is more"
            )

    def _score_figures(self, vectors, truth):
        cosine = np.sum(vectors[:, 0] * vectors[:, 1], axis=1)
        return {name: correlation(of, cosine, truth) for name, of in _CORRELATIONS.items()}

    def _loss_of(self, vectors, truth):
        loss, parts = self.loss(), range(0, len(vectors), _LOSS_ROWS)
        flat = [vectors[i : i + _LOSS_ROWS].reshape(-1, vectors.shape[-1]) for i in parts]
        found = [float(loss(tf.constant(truth[i : i + _LOSS_ROWS]), each)) for i, each in zip(parts, flat, strict=True)]
        weights = [len(each) for each in flat]
        return float(np.average(found, weights=weights))

    def _judged(self, vectors):
        if self.learns_scores:
            return ({"value": each} for each in self.scored(vectors).tolist())
        cosine = np.sum(vectors[:, 0] * vectors[:, 1], axis=1).tolist()
        places = retrieval.nearest(vectors[:, 0], vectors[:, 1])
        return ({"score": each, "nearest_row": int(place)} for each, place in zip(cosine, places, strict=True))


def numbered(texts, pairs):
    """(texts, numbers as str): all texts of pairs once, those that belong together with one number."""
    number, found = {}, {}
    for text, pair in zip(texts, pairs, strict=True):
        own = number.setdefault(pair, str(len(number)))
        found.setdefault(pair, own)
        found.setdefault(text, own)
    return list(found), list(found.values())


_CORRELATIONS = {"spearman": stats.spearmanr, "pearson": stats.pearsonr}
