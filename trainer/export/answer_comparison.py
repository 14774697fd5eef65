"""What is compared where the answer is one span, or none: the places of start and end, and the answers themselves."""

import math

from trainer.export.comparison import Differs
from trainer.export.token_comparison import TokenComparison


class AnswerComparison(TokenComparison):
    """Of span_qa: `tokens` behind `serving_default`. A flip is another answer than the trained model's."""

    def decisions(self):
        """Number of answers that are not the trained model's, none of them beyond doubt."""
        flips = 0
        for row in self.samples.rows():
            given, trained = self.batch[row], self.trained(row)
            self._stands_in_its_context(row)
            same = _said(given) == _said(trained)
            flips += not same
            if not same and self._is_sure(given, trained):
                raise Differs(
                    f"answers {_told(given)} where the trained model says {_told(trained)}, on {self.text(row)}"
                )
            if same:  # a product of two probabilities
                limit = 2 * self.tolerance
                self.close("of score from the trained model", [row], given["score"], trained["score"], limit)
        return flips

    def vectors(self):
        """Instead of vectors: the answer to a row alone is that of its batch, where it is beyond doubt."""
        largest = 0.0
        for row, answer in self.rows_of("alone").items():
            batch = self.batch[row]
            if _said(answer) == _said(batch):
                what = "of score on a single row from the batch"
                largest = max(largest, self.close(what, [row], answer["score"], batch["score"], 2 * self.tolerance))
            elif self._is_sure(answer, batch):
                raise Differs(f"answers differ between a batch and a single row, on {self.text(row)}")
        return largest

    def _is_sure(self, given, other):
        """Whether the other answer leads the next best thing to say by more than twice the tolerance."""
        if bool(given["answerable"]) == bool(other["answerable"]):
            return other["score"] - other["second"] > 2 * self.tolerance
        threshold = self.task.decisions.threshold
        if threshold is None:
            return True
        return abs(_probability(other["advantage"]) - _probability(threshold)) > 2 * self.tolerance

    def _stands_in_its_context(self, row):
        """`answer` is what stands between `start` and `end`, which are bounds of tokens; −1 where there is none."""
        answer, context = self.batch[row], self.samples.pairs[row].decode("utf-8", "ignore")
        start, end, text = int(answer["start"]), int(answer["end"]), answer["answer"].decode()
        starts, ends = (answer[name][: answer["token_count"]] for name in ("token_start", "token_end"))
        stands = 0 <= start < end and start in starts and end in ends and context[start:end] == text
        if not (stands if answer["answerable"] else (start, end, text) == (-1, -1, "")):
            raise Differs(f"{start} to {end} of its context is not {ascii(text[:40])}, on {self.text(row)}")
        self._follows_its_threshold(row, answer)

    def _follows_its_threshold(self, row, answer):
        """`answerable` is what the logits and the threshold make of it; but for rounding, as they were asked apart."""
        threshold = self.task.decisions.threshold
        if threshold is None or not answer["token_count"]:
            wrong = bool(answer["answerable"]) != bool(answer["token_count"])
        else:
            beyond = _probability(answer["advantage"]) - _probability(threshold)
            wrong = abs(beyond) > self.tolerance and bool(answer["answerable"]) != (beyond < 0)
        if wrong:
            told = f"answerable is {str(bool(answer['answerable'])).lower()}"
            raise Differs(f"{told} against its own logits and the threshold, on {self.text(row)}")


def _said(answer):
    return bool(answer["answerable"]), int(answer["start"]), int(answer["end"]), answer["answer"]


def _told(answer):
    return ascii(answer["answer"].decode()[:40]) if answer["answerable"] else "nothing"


def _probability(advantage):
    """Of no answer against the best span."""
    return 1 / (1 + math.exp(min(50.0, -float(advantage))))
