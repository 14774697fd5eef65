"""The texts on which a version is compared with the trained model, and what the trained model says of them."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.export.hostile import hostile_texts, oversized_texts

_SINGLES = 32  # dev texts that are also asked alone; of the hostile ones, every text is
BATCH = 32  # rows of a request, and of a call of the reference: lengths mixed, as on a server


@dataclasses.dataclass(frozen=True)
class Samples:
    """Dev texts, then questions of a FAQ that the version holds, then hostile texts, then `oversized` ones beyond the
    byte limit, each with the reference's answer.

    texts: list of bytes; pairs: list of bytes of the same length, or None; dev, questions: number of each;
    oversized: number of texts, the last, that must come back as truncated; task: Task, with its labels and decisions;
    reference: the task's compared output of the trained model, rebuilt in float32: probabilities
    `<float32>[texts, labels]`, or scores `<float32>[texts]`, None for several heads; answers: all its outputs, which
    spans are compared with.
    """

    texts: list
    pairs: list | None
    dev: int
    oversized: int
    task: Any
    reference: np.ndarray
    answers: dict | None = None
    questions: int = 0

    def inputs(self, rows):
        """`{signature input: [bytes, …]}` of some rows."""
        texts = {"text": [self.texts[row] for row in rows]}
        return texts | ({"text_pair": [self.pairs[row] for row in rows]} if self.pairs is not None else {})

    def rows(self):
        return range(len(self.texts))

    def question_rows(self):
        """Rows of the questions of the FAQ, a list of int."""
        return list(range(self.dev, self.dev + self.questions))

    def singles(self):
        """Rows that are also asked alone: some dev texts and all others."""
        return [*spread(range(self.dev), _SINGLES), *range(self.dev, len(self.texts))]


def collect(dev_texts, dev_pairs, limit, task, reference):
    """Samples of at most `limit` dev texts, from the shortest to the longest, of some questions of the task's FAQ where
    it has one, and of all hostile texts.

    Args:
        dev_texts, dev_pairs: lists of str or bytes; dev_pairs is None for tasks of one text.
        task: Task, with its labels and decisions.
        reference: callable, (texts, pairs), lists of bytes, to {output: array over rows} of the trained model.
    """
    order = spread(sorted(range(len(dev_texts)), key=lambda row: (len(dev_texts[row]), row)), limit)
    hard, oversized = hostile_texts(), oversized_texts()
    index = getattr(task, "index", None)
    questions = [as_bytes(index.questions[place]) for place in index.some()] if index else []
    texts = [as_bytes(dev_texts[row]) for row in order] + questions + hard + oversized
    pairs = None
    if dev_pairs is not None:
        # Each hostile text meets another one as its pair, and the oversized ones meet on both sides.
        pairs = [as_bytes(dev_pairs[row]) for row in order] + hard[1:] + hard[:1] + [b"short"] + oversized[:1]
    answers = exactly(reference, texts, pairs)
    reference = answers[task.compared].astype(np.float32) if task.compared else None
    return Samples(texts, pairs, len(order), len(oversized), task, reference, answers, len(questions))


def spread(items, count):
    """At most `count` of the items, evenly spaced, both ends among them."""
    places = np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int)
    return [items[place] for place in places]


def batches(rows):
    """Tuples of at most BATCH rows."""
    rows = tuple(rows)
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]


def exactly(reference, texts, pairs):
    """{output: array over rows} of `reference` for all texts.

    Without TensorFloat-32, whose ten bits of mantissa differ by more than the tolerance.
    """
    was_on = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        parts = [slice(start, start + BATCH) for start in range(0, len(texts), BATCH)]
        answers = [reference(texts[part], pairs and pairs[part]) for part in parts]
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(was_on)
    return {name: together([answer[name] for answer in answers]) for name in answers[0]}


def together(arrays):
    """Arrays one after the other along the first axis, the others padded to the widest: spans of a batch, tokens."""
    arrays = [np.asarray(array) for array in arrays]
    widest = np.max([array.shape[1:] for array in arrays], axis=0).astype(int)
    return np.concatenate([padded(array, (len(array), *widest)) for array in arrays])


def padded(array, shape):
    """The array in a larger shape: zeros behind numbers, nothing behind strings."""
    widths = [(0, int(to) - size) for size, to in zip(array.shape, shape, strict=True)]
    return np.pad(array, widths, constant_values=b"" if array.dtype == object else 0)


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")
