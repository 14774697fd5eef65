"""What is compared where `serving_default` stands on the signature `tokens`: the probabilities of each token."""

import numpy as np

from trainer.export.comparison import TOKENS, Comparison, Differs, by_row
from trainer.export.samples import padded


class TokenComparison(Comparison):
    """Of tagging and span_qa."""

    def rows_of(self, kind):
        """The outputs of both signatures together."""
        answers, tokens = (by_row(self.answers, each) for each in (kind, kind + TOKENS))
        return {row: answers[row] | tokens[row] for row in answers}

    def stacked(self, rows, output):
        """Padded to the reference, whose texts have the same tokens."""
        shape = self.samples.reference.shape[1:]
        arrays = [rows[row][output] for row in sorted(rows)]
        wider = next((row for row, each in zip(sorted(rows), arrays, strict=True) if len(each) > shape[0]), None)
        if wider is not None and rows[wider]["token_count"] > shape[0]:
            raise Differs(f"{rows[wider]['token_count']} tokens, the trained model's texts have {shape[0]} at most")
        return np.stack([padded(each[: shape[0]], shape) for each in arrays])

    def trained(self, row):
        """`{output: value}` that the trained model gives for a row."""
        return {name: values[row] for name, values in self.samples.answers.items()}
