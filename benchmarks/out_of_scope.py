"""How well a classifier's own doubt tells texts that belong to none of its labels: one figure for both sides.

The score of a text is 1 − its largest probability; the figure is the AUROC of the others against in-scope test rows,
the chance that a text of the others has the larger score.
"""

import json
import pathlib

import numpy as np

from benchmarks.quality_rows import OUT_OF_SCOPE
from benchmarks.reference_tasks import ranks


def are_in(data):
    """Whether a folder of rows has some that belong to no label."""
    return _texts(data).is_file()


def _texts(data):
    return pathlib.Path(data) / f"{OUT_OF_SCOPE}.jsonl"


def auroc(top_probabilities):
    """{"auroc", "in_scope", "out_of_scope"} of {"test": [largest probability, …], "out_of_scope": [the same]}."""
    inside, outside = (len(top_probabilities[name]) for name in ("test", OUT_OF_SCOPE))
    doubt = -np.array([*top_probabilities["test"], *top_probabilities[OUT_OF_SCOPE]])
    larger = ranks(doubt)[inside:].sum() - outside * (outside + 1) / 2  # pairs in which the other text has it
    return {"auroc": float(larger / (inside * outside)), "in_scope": inside, OUT_OF_SCOPE: outside}


def predict_flags(data, folder):
    """What makes `trainer.main` answer the rows of `data` that belong to no label, into the workdir `folder`."""
    return ["--mode=predict", f"--predict_input={_texts(data)}", f"--predict_output={_texts(folder)}"]


def answered(folder):
    """The largest probabilities that a workdir holds of its test rows and, after `predict_flags`, of the others."""
    files = {"test": folder / "predictions.jsonl", OUT_OF_SCOPE: _texts(folder)}
    return {split: _scores(path) for split, path in files.items()}


def _scores(path):
    with path.open(encoding="utf-8") as lines:
        return [max(json.loads(line)["probabilities"].values()) for line in lines]
