"""What is compared where the answer is spans: the probabilities of each token, and the spans that they make."""

from trainer.export.comparison import Differs
from trainer.export.token_comparison import TokenComparison

_SPAN = ("start", "end", "label", "text")


class TagComparison(TokenComparison):
    """Of tagging: `tokens` behind `serving_default`."""

    def decisions(self):
        """Number of tokens whose likeliest label is not the trained model's; within the tolerance all are in doubt."""
        reference = self.samples.reference
        flipped = (reference.max(axis=2) > 0) & (self.given.argmax(axis=2) != reference.argmax(axis=2))
        for row in self.samples.rows():
            self._stands_in_its_text(row)
            if not flipped[row].any() and _spans(self.batch[row]) != _spans(self.trained(row)):
                raise Differs(f"the spans are not the trained model's, on {self.text(row)}")
        return int(flipped.sum())

    def vectors(self):
        """Instead of vectors: the spans of a row alone are those of its batch, where no token flips."""
        alone = self.rows_of("alone")
        for row, answer in alone.items():
            given, batch = answer["probabilities"].argmax(axis=1), self.batch[row]["probabilities"].argmax(axis=1)
            count = answer["token_count"]
            if (given[:count] == batch[:count]).all() and _spans(answer) != _spans(self.batch[row]):
                raise Differs(f"spans differ between a batch and a single row, on {self.text(row)}")
        return 0.0

    def _stands_in_its_text(self, row):
        """`text` is what stands between `start` and `end`, each span begins and ends with a token, and none overlap."""
        answer, text = self.batch[row], self.samples.texts[row].decode("utf-8", "ignore")
        starts, ends = (set(answer[name][: answer["token_count"]].tolist()) for name in ("token_start", "token_end"))
        before = 0
        for start, end, _, cut in _spans(answer):
            if not (before <= start < end and start in starts and end in ends and text[start:end] == cut):
                raise Differs(f"span {start} to {end} is not {ascii(cut[:40])}, on {self.text(row)}")
            before = end


def _spans(answer):
    """[(start, end, label, text)] of one row."""
    columns = (answer[name][: answer["count"]] for name in _SPAN)
    return [(int(a), int(b), kind.decode(), cut.decode()) for a, b, kind, cut in zip(*columns, strict=True)]
