"""What the label column of a task holds: a label, several, a score, spans, answers. A class and a line here for each.

What they have in common: label_kind.py.
"""

from trainer.inputs.answers import Answers
from trainer.inputs.label_sets import LabelSets
from trainer.inputs.labels import SingleLabels
from trainer.inputs.scores import Scores
from trainer.inputs.spans import Spans


def label_column(kind, target):
    """The label column that a task needs.

    Args:
        kind: Task.column. target: trainer.config.TargetConfig.
    """
    if kind == LabelSets.name:
        return LabelSets(target.label_separator)
    if kind == Spans.name:
        return Spans(target.tag_scheme, target.unmatched_share)
    if kind == Answers.name:
        return Answers(target.unmatched_share)
    return Scores(target.bounds()) if kind == Scores.name else SingleLabels()
