"""Joins a run with what shows it: TensorBoard's pictures while it runs, report.html and the rest when it has ended."""

import hashlib

import numpy as np

from trainer.modes.workdir import MANIFEST, RESULTS, write_whole
from trainer.report import card, hparams, page, projector
from trainer.report.answer_pictures import AnswerPictures
from trainer.report.head_pictures import HeadPictures
from trainer.report.pictures import DevPictures, LabelSetPictures
from trainer.report.recorded import CURVE, PER_CLASS
from trainer.report.score_pictures import ScorePictures
from trainer.report.span_pictures import SpanPictures
from trainer.report.vector_pictures import VectorPictures
from trainer.tasks.pooled import PooledTask


def observer(task, table):
    """What the loop calls with each evaluation of the dev Table; None where the scalars say enough."""
    if task.name == "mlm":
        return None
    if task.name == "multi":
        own = {name: observer(head, task.table_of(name, table)) for name, head in task.heads.items()}
        return HeadPictures(task.judged, own)
    if task.name == "embedding" and not task.learns_scores:
        return VectorPictures(table.texts, table.pairs)
    if task.name == "embedding":
        return ScorePictures(table.texts, table.pairs, task.scored)
    if task.name == "tagging":
        return SpanPictures(task.labels, table.texts, task.entities)
    if task.name == "span_qa":
        return AnswerPictures(table.texts, table.pairs, task.rows)
    if task.name == "regression":
        return ScorePictures(table.texts, table.pairs, lambda logits: task.answers(logits)["value"])
    pictures = LabelSetPictures if task.name == "multi_label" else DevPictures
    return pictures(task.labels, table.texts, table.pairs, lambda logits: task.probabilities(logits).numpy())


def keep_curve(workdir, progress):
    """curve.json: training over its steps, from the last checkpoint."""
    workdir.write(CURVE, {"points": progress.curve})


def keep_classes(workdir, task, judged):
    """per_class.json, where there are labels; judged: {split: (logits, what they are held against)}."""
    found = {split: task.per_class(*each) for split, each in judged.items()}
    if any(found.values()):
        workdir.write(PER_CLASS, found)


def card_sections(workdir, task):
    """Markdown for the model card of a version about to be exported."""
    return card.sections(task.name, workdir.read(RESULTS), workdir.read(PER_CLASS), task.labels)


def write_report(workdir):
    """report.html, of what the workdir holds now."""
    write_whole(workdir / page.REPORT, page.html(workdir.path))


def fill_tensorboard(config, trained, dev, workdir):
    """The HParams line and the projector's vectors of the best weights; what is there already stays."""
    results, folder = workdir.read(RESULTS), workdir / "tensorboard"
    scores = {
        f"{split}/{name}": value for split in ("test", "dev") for name, value in results.get(split, {}).items()
    } | {"examples_per_second": results["train"]["examples_per_second"]}
    apart = results["decisions"].get("out_of_scope", {}).get("told_apart", {})
    scores |= {f"{split}/auroc_{name}": auroc for split, each in apart.items() for name, auroc in each["auroc"].items()}
    settings, steps = workdir.read(MANIFEST)["settings"], results["train"]["steps"]
    hparams.write(folder / "results", _name(workdir), config, settings, scores, steps)
    has_labels = isinstance(trained.task, PooledTask) and trained.task.name != "embedding"
    wanted = config.report.projector_texts and has_labels
    if wanted and not (folder / "dev" / projector.CONFIG).is_file():
        _project(config, trained, dev, folder / "dev")


def _name(workdir):
    """The workdir's last part, and a mark that tells it from others of that name."""
    path = workdir.path.resolve()
    return f"{path.name}-{hashlib.sha256(str(path).encode()).hexdigest()[:6]}"


def _project(config, trained, dev, folder):
    count = min(len(dev), config.report.projector_texts)
    table = dev.take(np.linspace(0, len(dev) - 1, count).astype(int).tolist())
    vectors, logits = trained.vectors(trained.rows(table, "dev"), "embedding dev")
    for leftover in folder.glob(".projector*"):  # of a run that was killed while it wrote
        leftover.unlink()
    for name, content in projector.files(vectors, table.texts, table.labels, trained.task.cells(logits)).items():
        write_whole(folder / name, content)
