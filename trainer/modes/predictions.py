"""predictions.jsonl: one JSON object per row, whole or not there."""

import json

from trainer.modes.workdir import write_whole


def write(path, task, table, logits):
    """Writes row, text, label, score and probabilities of each row of a Table, in its order.

    Args:
        logits: `<float32>[rows, labels]`. `row` counts from 0; `true_label` is there where the Table is labelled.
    """
    probabilities = task.probabilities(logits).numpy()
    write_whole(path, "".join(_line(task, table, row, p) for row, p in enumerate(probabilities)))


def _line(task, table, row, probabilities):
    best = int(probabilities.argmax())
    content = {"row": row, "text": table.texts[row]}
    if table.pairs is not None:
        content["text_pair"] = table.pairs[row]
    content |= {
        "label": task.labels[best],
        "score": float(probabilities[best]),
        "probabilities": dict(zip(task.labels, map(float, probabilities), strict=True)),
    }
    if table.labels is not None:
        content["true_label"] = table.labels[row]
    return json.dumps(content, ensure_ascii=False) + "\n"
