"""--mode=train: rows to the best weights, then evaluation, export and proof."""

import shutil

import keras

from data.doctor import at_start
from trainer.config import EnvironmentFault, UserError
from trainer.export.limits import check_precision
from trainer.export.version import check_targets
from trainer.inputs.faq import read_faq
from trainer.loop import accelerator as accelerators
from trainer.loop.checkpoints import Checkpoints, bytes_needed
from trainer.loop.fit import Run, fit, plan_steps
from trainer.modes import evaluate, export, job, manifest, out_of_scope, reporting, tables
from trainer.modes.rows import make_rows
from trainer.modes.workdir import DOCTOR, MANIFEST, RESULTS, open_workdir
from trainer.report import page

_WITHOUT_DEV = {
    False: "give a dev file, or a --dev_fraction above 0; they choose the best weights",
    True: "give some, with a --dev_fraction above 0 where they are held out, or --calibration=none and no "
    "--abstain_precision: nothing is then fitted to them",
}


def run(config):
    """Trains (or continues) the run of --workdir; prints its results. Returns the exit code."""
    check_targets(config)
    if config.export.faq:
        read_faq(config.export.faq)  # its mistakes are said before training, not after it
    corpus = job.read_corpus(config)
    if corpus.splits.dev is None:
        raise UserError(f"no dev rows: {_WITHOUT_DEV[config.learning.dev_may_be_missing()]}")
    job.make_task(config, corpus.learned).check_dev(config.decision, corpus.splits.dev.labels)
    out_of_scope.read(config, corpus.splits)  # its mistakes, too, are said before training
    found = at_start.look(config, corpus.own_splits())
    accelerator = accelerators.choose(config)
    with accelerator.training():
        keras.utils.set_random_seed(config.run.seed)  # of the dropout layers that the encoder brings
        encoder = job.open_encoder(config)
        check_precision(config, encoder)
        accelerator, encoder = accelerator.with_encoder(encoder, config)
    steps = plan_steps(config, len(corpus.splits.train))
    # Only now, when the flags are known to be good, is anything written.
    with open_workdir(config, create=True) as workdir:
        progress = Checkpoints(workdir / "checkpoints").progress()
        if progress:
            job.check_same_rows(corpus, workdir)
            job.check_same_vocabulary(encoder, workdir, config)
        if found:
            workdir.write(DOCTOR, found)
        elif not progress:  # what was seen of rows that are no longer meant
            (workdir / DOCTOR).unlink(missing_ok=True)
        if not (progress and progress.finished):
            progress = _train(config, corpus, accelerator, encoder, workdir)
        del encoder  # its weights are not needed twice
        trained = job.Trained(config, workdir)
        results = workdir.merge(RESULTS, {"train": _training_figures(progress, steps)})
        results |= evaluate.judge(corpus, trained, workdir)
        reporting.keep_curve(workdir, progress)
        reporting.fill_tensorboard(config, trained, corpus.splits.dev, workdir)
        if config.export.export:
            results = workdir.merge(RESULTS, {"export": export.made(config, corpus, trained, workdir)})
        reporting.write_report(workdir)
        _show(config, workdir, results)
    return 0


def _train(config, corpus, accelerator, encoder, workdir):
    _check_disk(workdir.path, bytes_needed(encoder.backbone.count_params(), config.optimizer.gradient_accumulation))
    task = job.make_task(config, corpus.learned, corpus.class_weights)
    named, tokens_of = corpus.splits.named(), encoder.preprocessor
    train, dev = (
        make_rows(config, task, tokens_of, named[name], name, train=name == "train") for name in ("train", "dev")
    )
    run = Run(config, task, train, dev, encoder, accelerator, workdir.path, reporting.observer(task, corpus.splits.dev))
    reused = {"tokens_reused": {"train": train.tokens.reused, "dev": dev.tokens.reused}}
    workdir.write(MANIFEST, manifest.describe(config, corpus, encoder, accelerator) | reused)
    job.save_task(workdir, corpus, encoder)
    progress = fit(run)
    batches = train.batches(accelerator.batching, config.input.batch_size, config.run.seed, progress.step)
    workdir.merge(MANIFEST, {"steps": progress.step, "shapes": manifest.shapes(batches, train.counts, accelerator)})
    return progress


def _check_disk(folder, needed):
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise EnvironmentFault(
            f"disk full at {folder}: {needed >> 20} MB are needed for checkpoints, {free >> 20} MB are free; "
            "free some space"
        )


def _training_figures(progress, steps):
    seconds = max(progress.seconds, 1e-9)
    return {
        "steps": progress.step,
        "planned_steps": steps,
        "best_step": progress.best_step,
        "seconds": progress.seconds,
        "examples_per_second": progress.trained_examples / seconds,
        "tokens_per_second": progress.trained_tokens / seconds,
        "evaluations": progress.evaluations,
    }


def _show(config, workdir, results):
    rows = evaluate.score_rows(results)
    train = results["train"]
    rows.append(
        ("trained", f"{train['steps']} steps in {train['seconds']:.0f} s, best after step {train['best_step']}")
    )
    rows.append(("speed", f"{train['examples_per_second']:.0f} examples/s, {train['tokens_per_second']:,.0f} tokens/s"))
    if config.export.export:
        rows += export.rows(results["export"])
    rows.append(("report", workdir / page.REPORT))
    rows.append(("TensorBoard", f"tensorboard --logdir {workdir / 'tensorboard'}"))
    tables.show(config, f"run {workdir.path}", rows, {"workdir": str(workdir.path), **results})
