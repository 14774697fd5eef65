"""predictions.jsonl: one JSON object per row, whole or not there."""

import json

from trainer.modes.workdir import write_whole


def write(path, task, table, logits):
    """Writes the lines of every row of a Table."""
    write_whole(path, lines(task, table, logits))


def lines(task, table, logits, first=0):
    """Row, text, label, score and probabilities of each row of a Table, in its order, a line of JSON each.

    Args:
        logits: `<float32>[rows, labels]`. first: number of the Table's first row; `abstain` is there where the task
            may abstain, `true_label` where the Table is labelled.
    """
    answers = task.answers(logits)
    names = ["label", "score", "probabilities"] + ["abstain"] * bool(task.decisions.target_precision)
    columns = [answers[name].tolist() for name in names]
    return "".join(
        _line(task, table, row, first + row, dict(zip(names, each, strict=True)))
        for row, each in enumerate(zip(*columns, strict=True))
    )


def _line(task, table, row, number, answer):
    content = {"row": number, "text": table.texts[row]}
    if table.pairs is not None:
        content["text_pair"] = table.pairs[row]
    content |= answer | {
        "label": answer["label"].decode(),
        "probabilities": dict(zip(task.labels, answer["probabilities"], strict=True)),
    }
    if table.labels is not None:
        content["true_label"] = table.labels[row]
    return json.dumps(content, ensure_ascii=False) + "\n"
