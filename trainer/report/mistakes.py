"""The rows that a model got wrong, those that it was surest about first."""

import dataclasses

import numpy as np

from trainer.metrics import squad
from trainer.report.fonts import shortened
from trainer.report.markdown import table

LONGEST = 300  # characters of a text that are shown


@dataclasses.dataclass(frozen=True)
class Mistake:
    """label, predicted: what the row has and what it got; size: how wrong that is, or how sure the model was of it."""

    row: int
    text: str
    label: str
    predicted: str
    size: str


def worst(probabilities, targets, labels, text_of, most=25):
    """At most `most` Mistakes, those whose true label got the least probability first.

    Args:
        probabilities: `<float>[rows, labels]`. targets: `<int>[rows]`. text_of: callable, row to its text.
    """
    rows = np.arange(len(targets))
    predicted, of_truth = probabilities.argmax(axis=1), probabilities[rows, targets]
    wrong = rows[predicted != targets]
    wrong = wrong[np.argsort(of_truth[wrong], kind="stable")][:most]
    return [
        Mistake(
            int(row),
            shortened(text_of(row), LONGEST),
            labels[targets[row]],
            labels[predicted[row]],
            f"{probabilities[row, predicted[row]]:.3f}",
        )
        for row in wrong
    ]


def worst_sets(wanted, selected, labels, text_of, most=25):
    """The rows with most labels too many or too few; wanted, selected: `<bool>[rows, labels]`."""
    wrong = (wanted != selected).sum(axis=1)
    order = np.argsort(-wrong, kind="stable")[:most]
    return [
        Mistake(
            int(row),
            shortened(text_of(row), LONGEST),
            *(_named(labels, each[row]) for each in (wanted, selected)),
            f"{wrong[row]} wrong",
        )
        for row in order
        if wrong[row]
    ]


def worst_scores(targets, values, text_of, most=25):
    """The rows whose score is furthest from the true one; both `<float>[rows]`."""
    order = np.argsort(-np.abs(values - targets), kind="stable")[:most]
    return [
        Mistake(
            int(row),
            shortened(text_of(row), LONGEST),
            f"{targets[row]:.4g}",
            f"{values[row]:.4g}",
            f"{values[row] - targets[row]:+.3g}",
        )
        for row in order
    ]


def worst_spans(wanted, given, texts, most=25):
    """The texts with most spans missed or made up; wanted, given: lists of (start, end, label, …) per text."""
    sets = [[{tuple(span[:3]) for span in spans} for spans in side] for side in (wanted, given)]
    wrong = np.array([len(mine ^ theirs) for mine, theirs in zip(*sets, strict=True)])
    return [
        Mistake(
            int(row),
            shortened(texts[row], LONGEST),
            *(_spans(texts[row], side[row] - other[row]) for side, other in (sets, sets[::-1])),
            f"{wrong[row]} wrong",
        )
        for row in np.argsort(-wrong, kind="stable")[:most]
        if wrong[row]
    ]


def not_found(rows):
    """The rows whose nearest text is another one than their own; rows: dicts of predictions.jsonl, of vectors."""
    return [row for row in rows if rows[row["nearest_row"]]["text_pair"] != row["text_pair"]]


def worst_found(rows, most=25):
    """Of these the rows whose own text is least near, beside the nearest one."""
    return [
        Mistake(row["row"], *_found(row, rows[row["nearest_row"]]), f"{row['score']:.3f}")
        for row in sorted(not_found(rows), key=lambda row: row["score"])[:most]
    ]


def worst_answers(rows, most=25):
    """The questions that were answered wrong, those first that share no word with a gold answer, then the surest.

    rows: dicts of predictions.jsonl, of --task=span_qa.
    """
    judged = [(squad.f1(row["answer"], gold_texts(row)), -row["score"], place) for place, row in enumerate(rows)]
    wrong = [rows[place] for f1, _, place in sorted(judged) if f1 < 1]
    return [
        Mistake(
            row["row"],
            shortened(f"{row['text']} ‖ {row['text_pair']}", LONGEST),
            " | ".join(dict.fromkeys(gold_texts(row))) or "(none)",
            row["answer"] or "(none)",
            f"{row['score']:.3f}",
        )
        for row in wrong[:most]
    ]


def gold_texts(row):
    """The gold answers of a row of predictions.jsonl, a list of str."""
    return [each["text"] for each in row["true_answers"]]


def _found(row, nearest):
    return [shortened(text, LONGEST) for text in (row["text"], row["text_pair"], nearest["text_pair"])]


def _spans(text, spans):
    return ", ".join(f"{shortened(text[start:end], 40)} ({kind})" for start, end, kind in sorted(spans)) or "(none)"


def _named(labels, has):
    return ", ".join(label for label, its in zip(labels, has, strict=True) if its) or "(none)"


def markdown(mistakes):
    """The mistakes as a Markdown table, of few columns: TensorBoard makes those beside a long text very narrow."""
    rows = [(m.row, f"{m.label} → {m.predicted} ({m.size})", m.text) for m in mistakes]
    return table(("row", "true → predicted (its probability, or how far off)", "text"), rows)
