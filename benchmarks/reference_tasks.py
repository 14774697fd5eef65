"""What the reference side learns: the targets, the loss by transformers' own name, and the scores of each task.

Numpy alone: it runs in the bench environment, and imports nothing of Slipway.
"""

import numpy as np

from benchmarks.reference_answers import SpanQA
from benchmarks.reference_spans import Tagging


class OfTexts:
    """What the tasks with one answer to a text share: the classes of transformers, and the encoding."""

    model, collator, head = "AutoModelForSequenceClassification", "DataCollatorWithPadding", "classifier"

    def encode(self, rows, tokenizer, max_length, labelled=True):
        """Token ids without padding (the collator pads each batch), and `labels` where the rows are labelled."""
        pairs = [row["text_pair"] for row in rows] if "text_pair" in rows[0] else None
        ids = tokenizer([row["text"] for row in rows], pairs, truncation=True, max_length=max_length)
        encoded = [{name: ids[name][place] for name in ids} for place in range(len(rows))]
        if labelled:
            encoded = [one | {"labels": self.target(row["label"])} for one, row in zip(encoded, rows, strict=True)]
        return encoded

    def settings(self):
        """What the model is made with."""
        return {"num_labels": self.outputs, "problem_type": self.problem_type}


class Classification(OfTexts):
    """One label of several. rows: the training rows, whose labels are all that there are."""

    problem_type = "single_label_classification"  # cross-entropy

    def __init__(self, rows):
        self.labels = sorted({row["label"] for row in rows})
        self.outputs = len(self.labels)

    def target(self, label):
        """The label's number."""
        return self.labels.index(label)

    def scores(self, logits, gold, encoded=None):
        """Accuracy and macro F1, as shares. logits: `<float>[rows, labels]`; gold: `<int>[rows]`."""
        predicted = logits.argmax(-1)
        numbers = np.arange(self.outputs)
        f1 = f1_by_label(predicted[:, None] == numbers, gold[:, None] == numbers)
        return {"accuracy": float((predicted == gold).mean()), "macro_f1": float(f1.mean())}


class MultiLabel(OfTexts):
    """Any number of labels, joined by `|` in a row."""

    problem_type = "multi_label_classification"  # binary cross-entropy, a mean over labels

    def __init__(self, rows):
        self.labels = sorted({label for row in rows for label in row["label"].split("|") if label})
        self.outputs = len(self.labels)

    def target(self, label):
        """1.0 for each label that the row has, else 0.0."""
        own = label.split("|")
        return [float(one in own) for one in self.labels]

    def scores(self, logits, gold, encoded=None):
        """Micro F1, macro F1 and share of rows with no label wrong. logits, gold: `<float>[rows, labels]`."""
        predicted, gold = logits > 0, gold > 0.5  # a probability over 0.5
        return {
            "micro_f1": float(f1_by_label(predicted.reshape(-1, 1), gold.reshape(-1, 1))[0]),
            "macro_f1": float(f1_by_label(predicted, gold).mean()),
            "subset_accuracy": float((predicted == gold).all(axis=1).mean()),
        }


class Regression(OfTexts):
    """A number."""

    problem_type = "regression"  # mean squared error
    outputs = 1

    def __init__(self, rows):
        pass

    def target(self, label):
        """The number, as the rows have it: transformers scales no target."""
        return float(label)

    def scores(self, logits, gold, encoded=None):
        """Spearman, Pearson and mean squared error. logits: `<float>[rows, 1]`; gold: `<float>[rows]`."""
        predicted, gold = logits.reshape(-1).astype(np.float64), gold.astype(np.float64)
        return {
            "spearman": float(np.corrcoef(ranks(predicted), ranks(gold))[0, 1]),
            "pearson": float(np.corrcoef(predicted, gold)[0, 1]),
            "mse": float(((predicted - gold) ** 2).mean()),
        }


TASKS = {
    "classification": Classification,
    "regression": Regression,
    "multi_label": MultiLabel,
    "tagging": Tagging,
    "span_qa": SpanQA,
}


def f1_by_label(predicted, gold):
    """`<float>[labels]` of `<bool>[rows, labels]` each; 0 for a label that is nowhere hit."""
    hit = (predicted & gold).sum(0)
    total = predicted.sum(0) + gold.sum(0)
    return 2 * hit / np.maximum(total, 1)


def ranks(values):
    """`<float>[rows]`: place of each value in their order, equal values sharing the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def top_probabilities(logits):
    """`<float>[rows]`: the largest softmax probability of each row of logits `<float>[rows, labels]`."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return (1 / shifted.sum(-1)).astype(np.float64)
