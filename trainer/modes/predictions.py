"""predictions.jsonl: one JSON object per row, whole or not there."""

import json

from trainer.modes.workdir import write_whole


def write(path, task, table, logits):
    """Writes the lines of every row of a Table."""
    write_whole(path, lines(task, table, logits))


def lines(task, table, logits, first=0):
    """Row, text and what the task answers of each row of a Table, in its order, a line of JSON each.

    Args:
        logits: `<float32>[rows, outputs]`. first: number of the Table's first row; where the Table is labelled, its
            label, labels or value is there as `true_…`.
    """
    return "".join(_line(task, table, row, first + row, answer) for row, answer in enumerate(task.rows(logits)))


def _line(task, table, row, number, answer):
    content = {"row": number, "text": table.texts[row]}
    if table.pairs is not None:
        content["text_pair"] = table.pairs[row]
    content |= answer
    if table.labels is not None:
        content |= task.truth(table.labels[row])
    return json.dumps(content, ensure_ascii=False) + "\n"
