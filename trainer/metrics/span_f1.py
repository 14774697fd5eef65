"""Precision, recall and F1 of spans: one is right where start, end and label all are (seqeval's strict mode)."""

import collections


def counts(given, wanted):
    """{label: (right, given, wanted)} numbers of spans; both are lists, over texts, of (start, end, label) lists."""
    right, answers, truths = (collections.Counter() for _ in range(3))
    for mine, theirs in zip(given, wanted, strict=True):
        mine, theirs = ({tuple(span[:3]) for span in spans} for spans in (mine, theirs))
        right.update(span[2] for span in mine & theirs)
        answers.update(span[2] for span in mine)
        truths.update(span[2] for span in theirs)
    return {label: (right[label], answers[label], truths[label]) for label in sorted(answers | truths)}


def scores(right, given, wanted):
    """(precision, recall, F1) of such numbers; 0 where there is nothing to divide by."""
    precision, recall = right / max(1, given), right / max(1, wanted)
    return precision, recall, 2 * right / max(1, given + wanted)


def micro(found):
    """(precision, recall, F1) over all spans of `counts`."""
    return scores(*(sum(each[place] for each in found.values()) for place in range(3)))


def per_label(found, labels):
    """[{label, precision, recall, f1, support}] of `counts`, in the order of the labels."""
    rows = []
    for label in labels:
        each = found.get(label, (0, 0, 0))
        names = zip(("precision", "recall", "f1"), scores(*each), strict=True)
        rows.append({"label": label, **dict(names), "support": each[2]})
    return rows
