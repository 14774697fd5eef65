"""What the quality benchmark is asked, and the answers that are kept: settings of a run, runs that are missing."""

import dataclasses
import sys
from typing import Any

from benchmarks import quality_run
from benchmarks.quality_figures import SIDES


@dataclasses.dataclass(frozen=True)
class Question:
    """One data set at one setting.

    asked: all that a result depends on, but for side and seed. flags: more of ours, on which our side alone depends.
    data: folder of the rows, there while runs are made. encoder: folder. store: ResultStore.
    """

    asked: dict
    flags: list
    data: Any
    encoder: Any
    store: Any

    def settings(self, side, seed):
        """The settings of one run: the key under which its result is kept."""
        return self.asked | {"side": side, "seed": seed} | ({"flags": self.flags} if side == "slipway" else {})

    def run_missing(self, sides, seeds, bench_python, threads):
        """Makes the runs that there is no result of, the sides in turn. Raises RunError."""
        for settings in (self.settings(side, seed) for seed in seeds for side in sides):
            if self.store.read(settings) is None:
                result = quality_run.run_once(settings, self.data, self.encoder, bench_python, threads)
                print(f"kept: {self.store.write(settings, result)}", file=sys.stderr, flush=True)

    def kept(self, seeds):
        """{(side, seed): result} of all that is kept."""
        keys = [(side, seed) for side in SIDES for seed in seeds]
        return {key: found for key in keys if (found := self.store.read(self.settings(*key))) is not None}
