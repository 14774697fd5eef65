"""The sides of benchmarks.few_shot, each a process of its own: few-shot, fine-tuning, SetFit."""

import dataclasses
import json
import pathlib
import shutil
import sys
import tempfile
from typing import NamedTuple

from benchmarks.quality_run import call, read_result


class Told(NamedTuple):
    """data: folder of train.jsonl and test.jsonl; encoder: folder; length: of a text, in tokens; threads: of torch."""

    data: str
    encoder: pathlib.Path
    seed: int
    length: int
    bench_python: str
    threads: int


@dataclasses.dataclass(frozen=True)
class Side:
    """title: in the table. how: what it is told besides rows, encoder, seed and length."""

    title: str
    how: tuple


# Both of ours do without dev rows, as SetFit does: the rows are all learned from, the last weights are kept.
_FEW = ("--flagfile=trainer/flagfiles/few_shot.flags", "--calibration=none", "--dev_fraction=0")
_PLAIN = ("--epochs=25", "--batch_size=16", "--warmup=0.1", "--metric=loss")
SIDES = {
    "few_shot": Side("Slipway, --learning=few_shot", _FEW),
    "fine_tuning": Side("Slipway, fine-tuning", _PLAIN),
    "setfit": Side("SetFit", ("--iterations=20",)),
}


def run(side, told):
    """One run from nothing; returns {"accuracy": on test, "seconds": of training, "versions"}. Raises RunError."""
    with tempfile.TemporaryDirectory(prefix="slipway-few-shot-") as folder:
        folder = pathlib.Path(folder)
        if side == "setfit":
            return _setfit(told, folder)
        rows = folder / "data"
        shutil.copytree(told.data, rows)
        if side == "fine_tuning":  # the least training loss, which is the last one's
            shutil.copy(rows / "train.jsonl", rows / "dev.jsonl")
        own = {"data": rows, "encoder": told.encoder, "seed": told.seed, "sequence_length": told.length}
        own |= {"workdir": folder / "run", "device": "cpu", "doctor": "off", "projector_texts": 0}
        given = [*SIDES[side].how, *(f"--{name}={value}" for name, value in own.items())]
        call([sys.executable, "-m", "trainer.main", *given, "--noexport"], "slipway")
        result = read_result(folder / "run")
        return {"accuracy": result["test"]["accuracy"], "seconds": result["train"]["seconds"]}


def _setfit(told, folder):
    own = {"data": told.data, "encoder": told.encoder, "seed": told.seed, "max_length": told.length}
    own |= {"threads": told.threads, "output": folder / "result.json"}
    given = [f"--{name}={value}" for name, value in own.items()]
    call([told.bench_python, "-m", "benchmarks.setfit_run", *SIDES["setfit"].how, *given], "reference")
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))
