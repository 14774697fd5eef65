"""What the label column of a task holds: a label, several, a score, spans, answers, nothing. A class and a line each.

What they have in common: label_kind.py.
"""

from trainer.inputs.answers import Answers
from trainer.inputs.label_sets import LabelSets
from trainer.inputs.labels import SingleLabels
from trainer.inputs.positives import Positives
from trainer.inputs.scores import Scores
from trainer.inputs.spans import Spans
from trainer.inputs.unlabelled import Unlabelled


def label_column(kind, config):
    """The label column that a task needs.

    Args:
        kind: Task.column. config: trainer.config.Config.
    """
    target = config.target
    if kind == Positives.name and config.embedding.embedding_loss == "score":
        kind = Scores.name
    if kind == Positives.name:
        return Positives(config.data.text_pair_column, config.embedding.negative_column)
    if kind == LabelSets.name:
        return LabelSets(target.label_separator)
    if kind == Spans.name:
        return Spans(target.tag_scheme, target.unmatched_share)
    if kind == Unlabelled.name:
        return Unlabelled()
    if kind == Answers.name:
        return Answers(target.unmatched_share)
    return Scores(target.bounds()) if kind == Scores.name else SingleLabels()
