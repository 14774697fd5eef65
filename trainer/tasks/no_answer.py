"""When a question is said to have no answer: fitted on dev after training, where training rows hold such questions."""

import dataclasses

import numpy as np

from trainer.config import UserError
from trainer.metrics import squad


@dataclasses.dataclass(frozen=True)
class NoAnswer:
    """threshold: a question has no answer where that is better than the best span by more than this, in logits; None:
    every question is answered."""

    threshold: float | None = None

    target_precision = 0.0  # it never abstains
    temperature = 1.0

    def to_dict(self):
        """For JSON."""
        return {} if self.threshold is None else {"threshold": self.threshold}


def check_dev(unanswerable, answers):
    """Raises UserError where questions may have no answer, and the dev rows are all of one kind.

    answers: the gold answers of each dev row, [] where there is none.
    """
    kinds = {bool(each) for each in answers}
    if unanswerable and len(kinds) == 1:
        which = "have an answer" if kinds == {True} else "have none"
        raise UserError(
            f"all {len(answers)} dev questions {which}: the limit from which on a question has no answer is chosen on "
            "dev, as some training questions have none; give dev rows of both kinds"
        )


def best_threshold(advantages, answers, golds):
    """The threshold that gives the best F1; of equally good ones the highest, halfway to the next advantage.

    Args:
        advantages: `<float>[rows]`, of no answer over the best span, in logits. answers: list of str, the best spans.
        golds: list of list of str, [] where there is no answer.
    """
    # where there is no answer any is wrong: for the scorer "the" would be right, which it reads as nothing at all
    answered = np.array([squad.f1(*each) if each[1] else 0.0 for each in zip(answers, golds, strict=True)])
    silent = np.array([squad.f1("", each) for each in golds])
    order = np.argsort(-advantages, kind="stable")
    ordered = advantages[order].astype(np.float64)
    # a score for each number of questions, those of the largest advantage, that are said to have no answer
    found = np.concatenate([[0.0], np.cumsum((silent - answered)[order])])
    apart = np.concatenate([[True], ordered[1:] != ordered[:-1], [True]])
    silenced = int(np.argmax(np.where(apart, found, -np.inf)))
    edges = np.concatenate([ordered[:1] + 2, ordered, ordered[-1:] - 2])
    return float((edges[silenced] + edges[silenced + 1]) / 2)
