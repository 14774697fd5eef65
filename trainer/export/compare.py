"""Answers of a version against those of the trained model, against themselves and against its labels."""

import functools

from trainer.export.answer_comparison import AnswerComparison
from trainer.export.comparison import Differs, Figures
from trainer.export.label_comparison import LabelComparison, LabelSetComparison
from trainer.export.multi_comparison import MultiComparison
from trainer.export.score_comparison import ScoreComparison
from trainer.export.tag_comparison import TagComparison
from trainer.export.vector_comparison import VectorComparison

__all__ = ["Differs", "Figures", "compare"]
COMPARISONS = {
    "classification": LabelComparison,
    "multi_label": LabelSetComparison,
    "regression": ScoreComparison,
    "tagging": TagComparison,
    "embedding": VectorComparison,
    "span_qa": AnswerComparison,
}
COMPARISONS["multi"] = functools.partial(MultiComparison, dict(COMPARISONS))


def compare(samples, answers, tolerance):
    """Figures of a version whose answers are right; raises Differs with the first thing that is not.

    The arguments are those of Comparison.
    """
    return COMPARISONS[samples.task.name](samples, answers, tolerance).figures()
