"""Whether a text gets the same answer each time, however busy the server is: --verify."""

import collections
import math


class Answers:
    """The distinct answers to each text, in the order in which they were first seen.

    Two answers are one where all words and whole numbers agree and all fractions are within `tolerance`: a row's last
    digits depend on the batch in which the server ran it. A text may have `allowed` answers; more are a fault.
    """

    def __init__(self, allowed, tolerance):
        self.allowed, self.tolerance = allowed, tolerance
        self._seen = collections.defaultdict(list)  # row: [[answer, how often], …]

    def add(self, row, answer):
        """Takes down a result of serving.client for a row of texts.read_rows."""
        answer, seen = answer.to_dict(), self._seen[row]
        for entry in seen:
            if same(entry[0], answer, self.tolerance):
                entry[1] += 1
                return
        seen.append([answer, 1])

    @property
    def over(self):
        """Rows with more answers than allowed."""
        return [row for row, seen in self._seen.items() if len(seen) > self.allowed]

    def to_dict(self, examples=3):
        """What was found, ready for JSON: how many texts had how many distinct answers, and some that had too many."""
        by_number = collections.Counter(len(seen) for seen in self._seen.values())
        return {
            "allowed": self.allowed,
            "tolerance": self.tolerance,
            "texts": len(self._seen),
            "answers": sum(count for seen in self._seen.values() for _, count in seen),
            "texts_by_distinct_answers": {str(number): by_number[number] for number in sorted(by_number)},
            "over": len(self.over),
            "examples": [self._example(row) for row in self.over[:examples]],
        }

    def _example(self, row):
        asked = dict(zip(("text", "text_pair"), row, strict=False))
        return asked | {"answers": [{"answer": answer, "count": count} for answer, count in self._seen[row]]}


def same(one, other, tolerance):
    """Whether two answers as plain Python values agree, their floats within `tolerance`."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= tolerance or (math.isnan(one) and math.isnan(other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key], tolerance) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other, [tolerance] * len(one)))
    return one == other
