"""What is compared where the answer is a unit vector, and where a FAQ is searched by it."""

import dataclasses

import numpy as np

from trainer.export.comparison import Comparison, Differs, Figures

_STORED = 1e-4  # of a stored vector from the trained model's: it is kept in float32, whatever the version computes in


@dataclasses.dataclass(frozen=True)
class SearchFigures(Figures):
    """search: how many texts were asked, how many of them questions of the FAQ, and the largest differences of a cosine
    and of a stored vector."""

    search: dict


class VectorComparison(Comparison):
    """Of embedding: differences are distances between unit vectors."""

    def figures(self):
        found = super().figures()
        return SearchFigures(*dataclasses.astuple(found), self._search()) if self.task.index else found

    def vectors(self):
        """Those of `embed` are the trained model's, too."""
        rows = self.rows_of("embed")
        if rows:
            reference = self.samples.reference[sorted(rows)]
            self.close("of embed from the trained model", rows, self.stacked(rows, "embedding"), reference)
        return super().vectors()

    def close(self, what, rows, given, expected, tolerance=None, unit=None):
        rows = list(rows)
        if given.ndim > 1:
            given, expected = np.linalg.norm(given - expected, axis=-1), np.zeros(given.shape[:-1])
        return super().close(what, rows, given, expected, tolerance, unit)

    def _search(self):
        """`search` gives what a look at every question by the trained model's vectors gives, but for near ties."""
        asked, stored = self.rows_of("search"), self._stored()
        if not asked:
            raise Differs("there is a FAQ and no answer of a signature search")
        return {
            "texts": len(asked),
            "questions": self.samples.questions,
            "max_difference": max(self._found(row, answer) for row, answer in asked.items()),
            "max_stored_difference": stored,
        }

    def _stored(self):
        """The largest distance of a stored vector from what the trained model gives for its question alone."""
        rows, places = self.samples.question_rows(), self.task.index.some()
        stored = self.task.index.vectors[places]
        return self.close("of a stored vector", rows, stored, self.samples.reference[rows], _STORED)

    def _found(self, row, answer):
        """The largest difference of a cosine in the answer to a text; raises Differs where it is not the nearest."""
        index = self.task.index
        cosine = index.vectors @ self.samples.reference[row]
        nearest = np.full(len(index.ids), -2.0, np.float32)
        np.maximum.at(nearest, index.entry, cosine)
        best = np.sort(nearest)[::-1][: index.most]
        largest = self.close("of search from a look at every entry", [row], answer["score"][None], best[None])
        entries = [self._entry(row, given) for given in answer["id"]]
        if len(set(entries)) < len(entries):
            raise Differs(f"search gives an entry twice, on {self.text(row)}")
        for place, entry in enumerate(entries):
            if nearest[entry] < best[place] - 2 * self.tolerance:
                raise Differs(f"search gives {index.ids[entry]!r} where another is nearer, on {self.text(row)}")
            self._belongs(row, entry, answer["question"][place], answer["answer"][place], cosine)
        return largest

    def _entry(self, row, given):
        entry = self.task.index.place_of(given.decode())
        if entry is None:
            raise Differs(f"search gives the id {given.decode()!r}, which the FAQ has not, on {self.text(row)}")
        return entry

    def _belongs(self, row, entry, question, answer, cosine):
        """The question is the entry's nearest one, and the answer is the entry's."""
        index = self.task.index
        own = np.flatnonzero(index.entry == entry)
        near = own[cosine[own] >= cosine[own].max() - 2 * self.tolerance]
        wrong = "question" if question.decode() not in [index.questions[place] for place in near] else ""
        wrong = wrong or ("answer" if answer.decode() != index.answers[entry] else "")
        if wrong:
            raise Differs(
                f"search gives another {wrong} than the FAQ has for {index.ids[entry]!r}, on {self.text(row)}"
            )
