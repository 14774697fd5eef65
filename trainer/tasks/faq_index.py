"""Questions and their answers inside a version: text in, the nearest answers and how near they are out."""

import dataclasses

import numpy as np
import tensorflow as tf


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

    def search(self, vectors):
        """Unit vectors `<float32>[batch, hidden]` to the nearest entries, as TensorFlow ops.

        `id, question, answer: <string>[batch, most]`, `score: <float32>[batch, most]`, the cosine of the entry's
        nearest question, which `question` is. Every entry is compared.
        """
        entry = tf.constant(self.entry)
        cosine = tf.matmul(tf.constant(self.vectors), vectors, transpose_b=True)
        best = tf.math.unsorted_segment_max(cosine, entry, len(self.ids))
        score, place = tf.math.top_k(tf.transpose(best), self.most)
        own = tf.equal(entry[:, tf.newaxis, tf.newaxis], place[tf.newaxis])
        question = tf.argmax(tf.where(own, cosine[:, :, tf.newaxis], -2.0), axis=0)
        return {
            "id": tf.gather(tf.constant(self.ids), place),
            "question": tf.gather(tf.constant(self.questions), question),
            "answer": tf.gather(tf.constant(self.answers), place),
            "score": score,
        }
