"""--mode=export: the best weights as a proven version in the workdir."""

from trainer.export.version import export_version
from trainer.modes import job, tables
from trainer.modes.workdir import RESULTS, open_workdir


def run(config):
    """Exports and proves the trained workdir's best weights; prints the proof."""
    with open_workdir(config) as workdir:
        trained = job.Trained(config, workdir)
        report = export_trained(config, job.read_corpus(config), trained, workdir)
        found = figures(report)
        workdir.merge(RESULTS, {"export": found})
        rows = [
            ("proof", found["proof"]),
            ("version", found["version_dir"]),
            ("size", f"{found['bytes'] / 2**20:.1f} MB"),
        ]
        tables.show(config, f"run {workdir.path}", rows, {"workdir": str(workdir.path), "export": found})
    return 0


def export_trained(config, corpus, trained, workdir):
    """ExportReport of the best weights, proven on dev texts."""
    dev = corpus.splits.dev or corpus.splits.train
    return export_version(
        trained.task,
        trained.model,
        trained.encoder,
        config=config,
        out_dir=workdir / "export",
        data_fingerprint=trained.data_fingerprint,
        dev_texts=dev.texts,
        dev_pairs=dev.pairs,
        reference=trained.probabilities,
        metrics=workdir.read(RESULTS).get("dev"),
    )


def figures(report):
    """What results.json keeps of an export."""
    return {
        "version_dir": str(report.version_dir),
        "proof": report.line(),
        "max_difference": report.proof["max_difference"],
        "bytes": sum(path.stat().st_size for path in report.version_dir.rglob("*") if path.is_file()),
        "seconds": report.seconds,
        "reused": report.reused,
    }
