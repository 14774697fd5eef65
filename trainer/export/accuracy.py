"""Every dev row asked of a version in fewer bits: how good it is, beside how good the trained model is."""

import dataclasses
from typing import Any

from serving.exchange import strings
from trainer.export.compare import Differs
from trainer.export.samples import as_bytes, batches, exactly, together

_KIND = "dev"


@dataclasses.dataclass(frozen=True)
class DevRows:
    """All labelled dev rows, from the shortest text to the longest, which wastes least on padding.

    texts: list of bytes; pairs: list of bytes, or None; labels: list of str; task: Task, whose `quality` judges;
    reference: the quality of the trained model.
    """

    texts: list
    pairs: list | None
    labels: list
    task: Any
    reference: float

    def requests(self):
        """`{(kind, rows): (signature, inputs)}` for all of them."""
        return {(_KIND, rows): self.request(rows) for rows in batches(range(len(self.texts)))}

    def request(self, rows):
        """(signature, inputs) that asks some of them."""
        columns = {"text": self.texts} | ({"text_pair": self.pairs} if self.pairs is not None else {})
        return "serving_default", {name: strings([column[row] for row in rows]) for name, column in columns.items()}

    def accuracy(self, answers):
        """The task's quality (accuracy, micro F1, Spearman) of the answers `{(kind, rows): {output: array}}`."""
        asked = {rows: arrays for (kind, rows), arrays in answers.items() if kind == _KIND}
        parts = [asked[rows] for rows in sorted(asked)]
        outputs = {name: together([part[name] for part in parts]) for name in parts[0]}
        return self.task.quality(outputs, self.labels)


def judged(texts, pairs, labels, task, reference):
    """DevRows of lists of str (pairs: None for tasks of one text), judged by `reference` as in `samples.collect`."""
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    texts, pairs = ([as_bytes(column[row]) for row in order] if column else None for column in (texts, pairs))
    labels = [labels[row] for row in order]
    return DevRows(texts, pairs, labels, task, task.quality(exactly(reference, texts, pairs), labels))


def check(dev, answers, allowed):
    """The `accuracy` of proof.json; raises Differs where a larger share than `allowed` is lost."""
    given = dev.accuracy(answers)
    if loses(given, dev.reference, allowed):
        raise Differs(
            f"{dev.task.quality_name} on all {len(dev.texts)} dev rows is {given:.2%}, "
            f"the trained model's {dev.reference:.2%}; allowed is a loss of {100 * allowed:.1f} points"
        )
    figures = {
        "measure": dev.task.quality_name,
        "rows": len(dev.texts),
        "version": given,
        "trained_model": dev.reference,
        "allowed_loss": allowed,
    }
    return figures


def loses(given, reference, allowed):
    """Whether the accuracy `given` is further below `reference` than the share `allowed`."""
    return reference - given > allowed + 1e-9  # sums of shares are not exact
