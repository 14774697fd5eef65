"""What stands below the tables of the quality benchmark: what was run, on what, and what is not to be compared."""

import os

from benchmarks import quality_run
from benchmarks.quality_datasets import DATASETS
from benchmarks.quality_figures import SIDES, metric_of

BY_DESIGN = (
    "ours keeps the epoch that is best on dev, the reference its last (Trainer's default)",
    "min and ex/s: training alone; ratio: ours / reference; the reference pads batches of random rows (its default)",
)
SHARES = "shares in percent, diff: ours − reference, in points"
_OUT_OF_SCOPE = (
    "AUROC: 1 − the largest probability tells test rows from texts that belong to no label; energy and distance: the "
    "same by ours' other scores"
)
_OF_SPANS = "a span is right where start, end and label are; prec, rec: precision and recall"
_OF_ANSWERS = "F1 of the answers' words and EM, exact match, as SQuAD's own script has them"
_BUSY = 0.3  # runnable processes per core at the start of a run


def setting(asked):
    """Rows and settings of a data set, in one line."""
    rows, arithmetic = asked["rows"], "bfloat16" if asked["bf16"] else "float32"
    counts = f"{rows['train']} train, {rows['dev']} dev, {rows['test']} test rows; {asked['epochs']} epochs, batch "
    counts += f"{asked['batch_size']}, learning rate {asked['learning_rate']:g}, {asked['max_length']} tokens, "
    return counts + arithmetic


def meaning(name):
    """What the figures of a data set are."""
    dataset = DATASETS[name]
    others = {"tagging": _OF_SPANS, "span_qa": _OF_ANSWERS}.get(dataset.task, "F1: macro F1 on test")
    return [f"dev, test: {metric_of(name)}; {others}; {SHARES}"] + [_OUT_OF_SCOPE] * bool(dataset.out_of_scope)


def provenance(results, flags):
    """Versions and machines of results, and what about them is not to be compared. results: [(side, result), …]."""
    lines = [f"more flags for ours: {flags}"] if flags else []
    for side in SIDES:
        own = [result for of, result in results if of == side]
        seen = {", ".join(f"{k} {v}" for k, v in r["versions"].items()) + f" on {r['machine']}" for r in own}
        lines += [f"{side}: {one}" for one in sorted(seen)]
        busy = sum(result["process"]["load_before"] > _BUSY * os.cpu_count() for result in own)
        if busy:
            lines.append(f"{side}: {busy} of these runs began on a busy machine: do not compare their times")
        old = sum(result["source"] != quality_run.source_hash(side) for result in own)
        if old:
            lines.append(f"{side}: {old} of these results come from other code than today's; delete them to run anew")
    return lines
