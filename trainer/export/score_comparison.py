"""What is compared where the answer is a number."""

import numpy as np

from trainer.export.comparison import Comparison, Differs, by_row


class ScoreComparison(Comparison):
    """Of regression: `value` and `regress`."""

    def decisions(self):
        """No answer leaves the bounds; there is nothing to flip."""
        low, high = self.task.bounds or (-np.inf, np.inf)
        for row, value in zip(self.samples.rows(), self.given, strict=True):
            if not low <= value <= high:
                raise Differs(f"value {value:g} is out of bounds, on {self.text(row)}")
        return 0

    def examples(self):
        rows = by_row(self.answers, "regress")
        if rows:
            self.close("of regress from serving_default", rows, self.stacked(rows, "outputs"), self.of(rows))
