"""--mode=plan: what a training run would do, without training."""

import shutil

import numpy as np
import rich.table

from trainer.export.limits import check_precision
from trainer.inputs.batching import padding_share
from trainer.loop import accelerator as accelerators
from trainer.loop.checkpoints import bytes_needed
from trainer.modes import job, manifest, tables
from trainer.modes.rows import make_rows
from trainer.modes.workdir import existing_parent

_PERCENTILES = (50, 90, 99, 100)
_BARS = 12


def run(config):
    """Prints rows and labels, token lengths, batching, steps, parameters, hardware and disk needed."""
    corpus = job.read_corpus(config)
    accelerator = accelerators.choose(config)
    accelerator, encoder = accelerator.with_encoder(job.open_encoder(config), config)
    check_precision(config, encoder)
    task = job.make_task(config, corpus.learned)
    rows = {
        name: make_rows(config, task, encoder.preprocessor, table, name, train=name == "train")
        for name, table in corpus.splits.named().items()
    }
    result = _plan(config, corpus, accelerator, task.build(encoder), rows)
    if not config.run.json:
        _print_labels(corpus)
        _print_lengths(rows["train"].lengths)
    tables.show(config, "plan", _rows(result), result)
    return 0


def _plan(config, corpus, accelerator, model, rows):
    batches = rows["train"].epoch(accelerator.batching, config.input.batch_size, config.run.seed, 0)
    lengths = rows["train"].lengths
    weights = sum(int(np.prod(v.shape)) for v in model.weights)
    return {
        "rows": {name: len(table) for name, table in corpus.splits.named().items()},
        "labels": corpus.label_counts,
        "token_lengths": {f"p{p}": int(np.percentile(lengths, p)) for p in _PERCENTILES},
        "truncated": {name: int(found.truncated.sum()) for name, found in rows.items()},
        "padding": 0.0 if accelerator.unpadded else padding_share(lengths, batches),
        "shapes": manifest.shapes(batches, rows["train"].counts, accelerator),
        "steps_per_epoch": len(batches),
        "steps": len(batches) * config.optimizer.epochs,
        "parameters": weights,
        "trainable_parameters": sum(int(np.prod(v.shape)) for v in model.trainable_weights),
        **accelerator.settings(),
        "disk_needed_bytes": bytes_needed(weights, config.optimizer.gradient_accumulation) + 4 * weights,
        "disk_free_bytes": shutil.disk_usage(existing_parent(config.run.workdir or ".")).free,
    }


def _rows(result):
    lengths = ", ".join(f"{name} {value}" for name, value in result["token_lengths"].items())
    truncated = ", ".join(f"{name} {count}" for name, count in result["truncated"].items())
    return [
        ("tokens per text", lengths),
        ("truncated texts", truncated),
        ("batching", f"{result['batching']}, {_padding(result)}, {result['shapes']['distinct']} shapes"),
        ("steps", f"{result['steps']} ({result['steps_per_epoch']} per epoch)"),
        ("parameters", f"{result['parameters']:,}, of which {result['trainable_parameters']:,} train"),
        ("device", f"{result['device']} × {result['replicas']}, {result['precision']}, XLA: {_xla(result)}"),
        ("disk", f"{result['disk_needed_bytes'] >> 20:,} MB needed, {result['disk_free_bytes'] >> 20:,} MB free"),
    ]


def _xla(result):
    compiled = result["shapes"]["compiled"]
    return result["xla"] + (f", compiled for {compiled} shapes" if compiled > 1 else "")


def _padding(result):
    if result["unpadded"]:
        return "no padding but in attention"
    return f"{result['padding']:.1%} padding"


def _print_labels(corpus):
    splits = corpus.splits.named()
    table = rich.table.Table(title="rows per label", title_justify="left", box=rich.box.SIMPLE)
    table.add_column("label")
    for name in splits:
        table.add_column(name, justify="right")
    for label in corpus.learned.get("labels", ()):
        table.add_row(label, *(str(corpus.label_counts[name][label]) for name in splits))
    table.add_row("all", *(str(len(rows)) for rows in splits.values()))
    tables.console().print(table)


def _print_lengths(lengths):
    counts, edges = np.histogram(lengths, bins=min(_BARS, max(1, len(np.unique(lengths)))))
    table = rich.table.Table(title="tokens per training text", title_justify="left", box=rich.box.SIMPLE)
    for column in ("tokens", "texts", ""):
        table.add_column(column, justify="left" if not column else "right")
    for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
        table.add_row(f"{low:.0f}–{high:.0f}", str(count), "█" * round(50 * count / counts.max()))
    tables.console().print(table)
