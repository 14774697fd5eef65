"""Every dev row asked of a version in fewer bits: what it gets right, beside what the trained model gets right."""

import dataclasses

from serving.exchange import strings
from trainer.export.compare import Differs
from trainer.export.samples import as_bytes, batches, exactly

_KIND = "dev"


@dataclasses.dataclass(frozen=True)
class DevRows:
    """All labelled dev rows, from the shortest text to the longest, which wastes least on padding.

    texts: list of bytes; pairs: list of bytes, or None; labels: list of str; reference: accuracy of the trained model.
    """

    texts: list
    pairs: list | None
    labels: list
    reference: float

    def requests(self):
        """`{(kind, rows): (signature, inputs)}` for all of them."""
        return {(_KIND, rows): self.request(rows) for rows in batches(range(len(self.texts)))}

    def request(self, rows):
        """(signature, inputs) that asks some of them."""
        columns = {"text": self.texts} | ({"text_pair": self.pairs} if self.pairs is not None else {})
        return "serving_default", {name: strings([column[row] for row in rows]) for name, column in columns.items()}

    def accuracy(self, answers):
        """Share of right labels in the answers `{(kind, rows): {output: array}}`."""
        given = {
            row: label
            for (kind, rows), arrays in answers.items()
            if kind == _KIND
            for row, label in zip(rows, arrays["label"], strict=True)
        }
        return self._share(given[row].decode() for row in range(len(self.texts)))

    def _share(self, given):
        right = [label == wanted for label, wanted in zip(given, self.labels, strict=True)]
        return sum(right) / len(right)


def judged(texts, pairs, labels, task, reference):
    """DevRows of lists of str (pairs: None for tasks of one text), judged by `reference` as in `samples.collect`."""
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    texts, pairs = ([as_bytes(column[row]) for row in order] if column else None for column in (texts, pairs))
    rows = DevRows(texts, pairs, [labels[row] for row in order], 0.0)
    best = exactly(reference, texts, pairs).argmax(axis=1)
    return dataclasses.replace(rows, reference=rows._share(task.labels[each] for each in best))


def check(dev, answers, allowed):
    """The `accuracy` of proof.json; raises Differs where a larger share than `allowed` is lost."""
    given = dev.accuracy(answers)
    if loses(given, dev.reference, allowed):
        raise Differs(
            f"accuracy on all {len(dev.texts)} dev rows is {given:.2%}, the trained model's {dev.reference:.2%}; "
            f"allowed is a loss of {100 * allowed:.1f} points"
        )
    return {"rows": len(dev.texts), "version": given, "trained_model": dev.reference, "allowed_loss": allowed}


def loses(given, reference, allowed):
    """Whether the accuracy `given` is further below `reference` than the share `allowed`."""
    return reference - given > allowed + 1e-9  # sums of shares are not exact
