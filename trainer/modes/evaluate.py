"""--mode=evaluate: the best weights on dev and, where there is one, on test."""

from trainer.modes import job, predictions, tables
from trainer.modes.workdir import RESULTS, open_workdir


def run(config):
    """Evaluates the trained workdir and prints the scores."""
    with open_workdir(config) as workdir:
        trained = job.Trained(config, workdir)
        corpus = job.read_corpus(config)
        job.check_same_rows(corpus, workdir)
        results = judge(corpus, trained, workdir)
        workdir.merge(RESULTS, results)
        tables.show(config, f"run {workdir.path}", score_rows(results), {"workdir": str(workdir.path), **results})
    return 0


def judge(corpus, trained, workdir):
    """{"dev": {metric: float}, "test": {…}} over every row; predictions.jsonl gets those of the last split."""
    found = {}
    for name, table in corpus.splits.named().items():
        if name == "train":
            continue
        rows = trained.rows(table, name)
        logits = trained.logits(rows, f"evaluating {name}")
        found[name] = trained.task.score(logits, rows.targets)
    predictions.write(workdir / "predictions.jsonl", trained.task, table, logits)
    return found


def score_rows(results):
    """Table rows of the scores of `judge`."""
    return [
        (f"{split} {name}", f"{value:.4f}")
        for split in ("dev", "test")
        for name, value in results.get(split, {}).items()
    ]
