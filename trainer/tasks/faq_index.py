"""Questions and their answers inside a version: text in, the nearest answers and how near they are out."""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

_SOME = 64  # questions that a proof asks


@dataclasses.dataclass(frozen=True)
class FaqIndex:
    """Entries, each with one question or several.

    ids, answers: tuples of str, of each entry. questions: tuple of str. entry: `<int32>[questions]`, the entry of each.
    vectors: `<float32>[questions, hidden]`, unit vectors. most: int, entries that are answered. fingerprint: str, of
    the entries.
    """

    ids: tuple
    answers: tuple
    questions: tuple
    entry: np.ndarray
    vectors: np.ndarray
    most: int
    fingerprint: str

    def stated(self):
        """What contract.json says of it."""
        return {
            "entries": len(self.ids),
            "questions": len(self.questions),
            "most": self.most,
            "fingerprint": self.fingerprint,
        }

    def some(self):
        """`<int>[…]`: places of some questions, evenly spaced, both ends among them."""
        return np.linspace(0, len(self.questions) - 1, min(_SOME, len(self.questions))).round().astype(int)

    def place_of(self, own):
        """The place of an entry by its id, None where there is none."""
        return self._places.get(own)

    @functools.cached_property
    def _places(self):
        return {own: place for place, own in enumerate(self.ids)}

    def search(self, vectors):
        """Unit vectors `<float32>[batch, hidden]` to the nearest entries, as TensorFlow ops.

        `id, question, answer: <string>[batch, most]`, `score: <float32>[batch, most]`, the cosine of the entry's
        nearest question, which `question` is. Every entry is compared.
        """
        entry = tf.constant(self.entry)
        cosine = tf.matmul(tf.constant(self.vectors), vectors, transpose_b=True)
        best = tf.math.unsorted_segment_max(cosine, entry, len(self.ids))
        score, place = tf.math.top_k(tf.transpose(best), self.most)
        is_best = cosine >= tf.gather(best, entry)
        number = tf.range(len(self.questions))[:, tf.newaxis]
        first = tf.math.unsorted_segment_min(tf.where(is_best, number, len(self.questions) - 1), entry, len(self.ids))
        question = tf.gather(tf.transpose(first), place, batch_dims=1)
        return {
            "id": tf.gather(tf.constant(self.ids), place),
            "question": tf.gather(tf.constant(self.questions), question),
            "answer": tf.gather(tf.constant(self.answers), place),
            "score": score,
        }
