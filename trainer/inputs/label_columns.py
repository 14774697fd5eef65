"""What the label column of a task holds: one label, several labels, or a score. One class and one line here for each.

Each has
- `name`, and `may_be_empty`: whether a row may have nothing there;
- `column(name)`: under which name the readers look for it;
- `check(table)`: raises UserError, with file:line, for rows that nothing can be learned from;
- `strata(cells)`: one str per row, by which rows are held out evenly;
- `learned(splits)`: what the training rows say of it, ready for JSON, after every split was checked;
- `counts(cells, learned)`: {label: rows};
- `class_weights(spec, cells, learned)`: `<float32>[classes]` of --class_weights, or None.
"""

from trainer.inputs.label_sets import LabelSets
from trainer.inputs.labels import SingleLabels
from trainer.inputs.scores import Scores


def label_column(kind, target):
    """The label column that a task needs.

    Args:
        kind: Task.column. target: trainer.config.TargetConfig.
    """
    if kind == LabelSets.name:
        return LabelSets(target.label_separator)
    return Scores(target.bounds()) if kind == Scores.name else SingleLabels()
