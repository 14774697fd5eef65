"""The decisions of a task that takes none."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Undecided:
    """Answers are given as they are: nothing is fitted on dev."""

    target_precision = 0.0

    def to_dict(self):
        return {}
