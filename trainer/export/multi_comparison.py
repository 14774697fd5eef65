"""What is compared where one pass answers for several heads: each head as a version of its own."""

import dataclasses

from trainer.export.comparison import Figures
from trainer.tasks.multi import stripped


class MultiComparison:
    """Of multi.

    Args:
        comparisons: {name of a task: Comparison}. samples, answers, tolerance: as of Comparison; the answers of a head
            are those that bear its name.
    """

    def __init__(self, comparisons, samples, answers, tolerance):
        others = samples.task.vector_heads[1:]  # `embed` gives the vectors of the first
        self.heads = [
            comparisons[task.name](_samples_of(samples, name, task), _answers_of(answers, name, others), tolerance)
            for name, task in samples.task.heads.items()
        ]

    def figures(self):
        """Figures of all heads together; raises Differs with the first thing that is not right."""
        found = [each.figures() for each in self.heads]
        return Figures(
            max(each.max_difference for each in found),
            max(each.max_batch_difference for each in found),
            sum(each.flips for each in found),
        )


def _samples_of(samples, name, task):
    own = stripped(samples.answers, name)
    return dataclasses.replace(samples, task=task, reference=own[task.compared], answers=own)


def _answers_of(answers, name, others):
    """The same requests with one head's outputs; what `embed` gives is of all heads but `others`."""
    return {
        key: arrays if key[0] == "embed" else stripped(arrays, name)
        for key, arrays in answers.items()
        if key[0] != "embed" or name not in others
    }
