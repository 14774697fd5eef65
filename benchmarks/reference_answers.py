"""Answers on the reference side: windows, targets and post-processing of transformers' run_qa.py.

As in examples/pytorch/question-answering/run_qa.py: the question stands in front of each window of the context, a
window without the whole answer points at [CLS], and of the 20 best starts and ends the best span of at most 30 tokens,
over all windows, is the answer. Exact match and F1 are torchmetrics', which are the official script's.
"""

import json

import numpy as np

STRIDE, BEST, LONGEST = 128, 20, 30  # of run_qa.py


class SpanQA:
    """Start and end of the answer. rows: the training rows."""

    model, collator, head = "AutoModelForQuestionAnswering", "DataCollatorWithPadding", "qa_outputs"

    def __init__(self, rows):
        pass

    def settings(self):
        """What the model is made with: nothing of its own."""
        return {}

    def encode(self, rows, tokenizer, max_length):
        """A Features of the windows of all rows."""
        found = tokenizer(
            [row["text"] for row in rows],
            [row["text_pair"] for row in rows],
            truncation="only_second",
            max_length=max_length,
            stride=STRIDE,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        of_row, offsets = found.pop("overflow_to_sample_mapping"), found.pop("offset_mapping")
        features = Features(rows, of_row, [])
        for window, row in enumerate(of_row):
            lies = [
                where if sequence == 1 else None
                for where, sequence in zip(offsets[window], found.sequence_ids(window), strict=True)
            ]
            features.offsets.append(lies)
            start, end = target(json.loads(rows[row]["label"]), lies)
            ids = {name: found[name][window] for name in found}
            features.append(ids | {"start_positions": start, "end_positions": end})
        return features

    def scores(self, logits, gold, features):
        """Exact match and F1, as shares. logits: (`<float>[windows, length]` of starts, of ends)."""
        from torchmetrics.functional.text import squad

        given = [{"prediction_text": text, "id": str(row)} for row, text in enumerate(answers(*logits, features))]
        wanted = [_of_squad(row, json.loads(each["label"])) for row, each in enumerate(features.rows)]
        return {name: float(value) / 100 for name, value in squad(given, wanted).items()}


class Features(list):
    """Encoded windows. of_row: the row of each; offsets: for each its tokens' (start, end), None outside of the
    context."""

    def __init__(self, rows, of_row, offsets):
        super().__init__()
        self.rows, self.of_row, self.offsets = rows, of_row, offsets


def target(golds, offsets):
    """(first, last) token of the first gold answer, (0, 0) where the window does not hold all of it."""
    start, text = golds[0]
    inside = [place for place, where in enumerate(offsets) if where is not None]
    if not inside or offsets[inside[0]][0] > start or offsets[inside[-1]][1] < start + len(text):
        return 0, 0
    first = max(place for place in inside if offsets[place][0] <= start)
    return first, min(place for place in inside if offsets[place][1] >= start + len(text))


def answers(starts, ends, features):
    """The best span's text of each row, "" where no window has any."""
    found = [("", -np.inf)] * len(features.rows)
    for start, end, row, offsets in zip(starts, ends, features.of_row, features.offsets, strict=True):
        for first in np.argsort(start)[: -BEST - 1 : -1]:
            for last in np.argsort(end)[: -BEST - 1 : -1]:
                score = start[first] + end[last]
                if score > found[row][1] and _is_span(first, last, offsets):
                    context = features.rows[row]["text_pair"]
                    found[row] = context[offsets[first][0] : offsets[last][1]], score
    return [text for text, _ in found]


def _is_span(first, last, offsets):
    inside = last < len(offsets) and first < len(offsets) and None not in (offsets[first], offsets[last])
    return inside and first <= last < first + LONGEST


def _of_squad(row, golds):
    texts = {"text": [text for _, text in golds], "answer_start": [start for start, _ in golds]}
    return {"id": str(row), "answers": texts}
