"""--mode=export: the best weights as a proven version in the workdir, or as an encoder where the task makes one."""

import numpy as np

from trainer.export.version import export_version
from trainer.inputs.faq import read_faq
from trainer.inputs.sources import Table
from trainer.loop.progress_line import ProgressLine
from trainer.modes import decisions, encoder_folder, evaluate, job, reporting, tables
from trainer.modes.workdir import RESULTS, open_workdir
from trainer.tasks.faq_index import FaqIndex

# Of proof.json.
_FIGURES = (
    "precision",
    "max_difference",
    "tolerance",
    "out_of_scope",
    "search",
    "accuracy",
    "faster",
    "mixed_precision",
)


def run(config):
    """Exports and proves the trained workdir's best weights; prints the proof."""
    with open_workdir(config) as workdir:
        trained = job.Trained(config, workdir)
        corpus = job.read_corpus(config)
        if not decisions.take(trained, workdir):  # never evaluated, or for other decisions
            job.check_same_rows(corpus, workdir)
            evaluate.judge(corpus, trained, workdir)
        found = made(config, corpus, trained, workdir)
        workdir.merge(RESULTS, {"export": found})
        reporting.write_report(workdir)
        tables.show(config, f"run {workdir.path}", rows(found), {"workdir": str(workdir.path), "export": found})
    return 0


def made(config, corpus, trained, workdir):
    """What results.json keeps of the version, or of the encoder, that the best weights have become."""
    if not trained.task.served:
        return encoder_folder.hand_over(config, trained, workdir)
    return figures(export_trained(config, corpus, trained, workdir))


def rows(found):
    """Table rows of the same."""
    if "encoder_dir" in found:
        return encoder_folder.rows(found)
    size = f"{found['bytes'] / 2**20:.1f} MB"
    return [("proof", found["proof"]), ("version", found["version_dir"]), ("size", size)]


def export_trained(config, corpus, trained, workdir):
    """ExportReport of the best weights, proven on dev texts."""
    task = _with_faq(config, trained) if config.export.faq else trained.task
    texts, pairs, labels = task.proof_rows(corpus.splits.dev or corpus.splits.train)
    return export_version(
        task,
        trained.served,
        trained.encoder,
        config=config,
        out_dir=workdir / "export",
        data_fingerprint=trained.data_fingerprint,
        dev_texts=texts,
        dev_pairs=pairs,
        dev_labels=labels,
        reference=trained.reference,
        card_sections=reporting.card_sections(workdir, trained.task),
    )


def _with_faq(config, trained):
    """The task with an index of the entries of --faq, whose vectors are the trained model's."""
    faq = read_faq(config.export.faq)
    line = ProgressLine("embedding questions", len(faq.questions), "questions")
    table = Table(faq.questions, None, None, config.export.faq, np.arange(len(faq.questions)))
    vectors, _ = trained.answer(table, line.update)
    most = min(config.export.faq_answers, len(faq.ids))
    columns = map(tuple, (faq.ids, faq.answers, faq.questions))
    return trained.task.indexed(FaqIndex(*columns, faq.entry, vectors, most, faq.fingerprint))


def figures(report):
    """What results.json keeps of an export."""
    return {
        "version_dir": str(report.version_dir),
        "proof": report.line(),
        **{name: report.proof[name] for name in _FIGURES if name in report.proof},
        "bytes": sum(path.stat().st_size for path in report.version_dir.rglob("*") if path.is_file()),
        "seconds": report.seconds,
        "reused": report.reused,
    }
