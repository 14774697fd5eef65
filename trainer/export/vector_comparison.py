"""What is compared where the answer is a unit vector, and where a FAQ is searched by it."""

import numpy as np

from trainer.export.comparison import Comparison, Differs, by_row


class VectorComparison(Comparison):
    """Of embedding: differences are distances between unit vectors."""

    def close(self, what, rows, given, expected, tolerance=None, unit=None):
        rows = list(rows)
        if given.ndim > 1:
            given, expected = np.linalg.norm(given - expected, axis=-1), np.zeros(given.shape[:-1])
        return super().close(what, rows, given, expected, tolerance, unit)

    def examples(self):
        """`search` gives what a look at every entry gives, but where two are nearly as near."""
        index = self.task.index
        for row, answer in by_row(self.answers, "search").items():
            cosine = np.full(len(index.ids), -2.0)
            np.maximum.at(cosine, index.entry, index.vectors @ self.samples.reference[row])
            best = np.sort(cosine)[::-1][: index.most]
            if np.abs(answer["score"] - best).max() > self.tolerance:
                raise Differs(f"search gives other scores than a look at every entry, on {self.text(row)}")
            for given, score in zip(answer["id"], best, strict=True):
                if cosine[index.ids.index(given.decode())] < score - 2 * self.tolerance:
                    raise Differs(f"search gives {given.decode()!r} where another is nearer, on {self.text(row)}")
