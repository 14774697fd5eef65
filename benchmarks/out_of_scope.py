"""How well a classifier's own doubt tells texts that belong to none of its labels: one figure for both sides.

The score of a text is 1 − its largest probability, before any temperature; the figure is the AUROC of the others
against in-scope test rows, the chance that a text of the others has the larger score. Ours has two scores more.
"""

import pathlib

import numpy as np

from benchmarks.quality_rows import OUT_OF_SCOPE
from benchmarks.reference_tasks import ranks

OWN = ("energy", "distance")  # scores that the reference has no figure of


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


def flags(data):
    """What makes `trainer.main` judge the rows of `data` that belong to no label, where there are any."""
    return ["--out_of_scope=max_softmax", f"--out_of_scope_test={_texts(data)}"] if are_in(data) else []


def judged(results):
    """The same figures from results.json of a run with these flags, and the AUROC of each of OWN."""
    apart = results["decisions"]["out_of_scope"]["told_apart"]["test"]
    own = {f"auroc_{name}": apart["auroc"][name] for name in OWN}
    return {"auroc": apart["auroc"]["max_softmax"], OUT_OF_SCOPE: apart["texts"]} | own
