"""--mode=evaluate: the best weights on dev and, where there is one, on test."""

from trainer.modes import decisions, job, out_of_scope, predictions, reporting, tables
from trainer.modes.workdir import RESULTS, open_workdir


def run(config):
    """Evaluates the trained workdir and prints the scores."""
    with open_workdir(config) as workdir:
        trained = job.Trained(config, workdir)
        corpus = job.read_corpus(config)
        job.check_same_rows(corpus, workdir)
        results = judge(corpus, trained, workdir)
        reporting.write_report(workdir)
        tables.show(config, f"run {workdir.path}", score_rows(results), {"workdir": str(workdir.path), **results})
    return 0


def judge(corpus, trained, workdir):
    """What results.json gains: {"dev": {metric: float}, "test": {…}, "decisions": {…}}, over every row.

    From here on `trained` decides as was fitted on dev. results.json, predictions.jsonl (of the last split) and
    decisions.json are written in the end. Raises UserError where the precision that was asked for is not reached.
    """
    trained.task.check_dev(trained.config.decision, corpus.splits.dev.labels)
    texts = out_of_scope.read(trained.config, corpus.splits)
    judged = {}
    for name, table in corpus.splits.named().items():
        if name == "train":
            continue
        rows = trained.rows(table, name)
        judged[name] = trained.logits(rows, f"evaluating {name}"), rows.truth
    outside = out_of_scope.answers(trained, texts)
    decisions.fit(trained, corpus, *judged["dev"], outside)
    found = {name: trained.task.score(*each) for name, each in judged.items()}
    found["decisions"] = trained.task.decision_figures(judged, *([outside] if outside else []))
    (workdir / decisions.FILE).unlink(missing_ok=True)  # killed from here on, the next command judges anew
    if trained.task.served:
        predictions.write(workdir / "predictions.jsonl", trained.task, table, judged[name][0])
    reporting.keep_classes(workdir, trained.task, judged)
    workdir.merge(RESULTS, found)
    decisions.keep(trained, workdir)
    return found


def score_rows(results):
    """Table rows of the scores of `judge`."""
    scores = [
        (f"{split} {name}", f"{value:.4f}")
        for split in ("dev", "test")
        for name, value in results.get(split, {}).items()
    ]
    return [*scores, *decisions.rows(results["decisions"])]
