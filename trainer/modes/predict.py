"""--mode=predict: a file of texts in, a file of labels out, in chunks; a run that was stopped goes on where it was."""

import dataclasses
import hashlib
import json
import pathlib
import sys
import time

from trainer.config import FREE_TO_CHANGE, UserError
from trainer.inputs.parts import opened, parts_of
from trainer.inputs.text_file import TextFile
from trainer.loop.progress_line import ProgressLine
from trainer.modes import decisions, job, out_of_scope, predictions, tables
from trainer.modes.partial_file import PartialFile
from trainer.modes.workdir import make_folder, open_workdir

CHUNK_ROWS = 4096  # that are sorted by length together, and that a kill may cost


def run(config):
    """Predicts --predict_input with the workdir's best weights; the output appears when it is complete."""
    with open_workdir(config) as workdir:
        workdir.task_file()
        source = _source(config)
        output = _output(config, workdir, parts_of(source.path))
        trained = job.Trained(config, workdir)
        decisions.take_or_fit(trained, workdir)
        with PartialFile(output, _identity(config, source, trained)) as partial:
            _continue(trained, source, partial)
            partial.publish()
            truncated = partial.counts["truncated"]
        shown = [("texts", source.rows), ("longer than the limit", truncated), ("output", output)]
        result = {"texts": source.rows, "truncated": truncated, "output": str(output)}
        tables.show(config, "predictions", shown, result)
    return 0


def _source(config):
    """The TextFile of --predict_input, counted and checked."""
    given = config.predict.predict_input
    line = ProgressLine(f"reading {given}", None, "texts")
    is_pair = config.model.task != "embedding"  # which learns from pairs and answers texts
    columns = (config.data.text_column, config.data.text_pair_column if is_pair else "")
    source = TextFile(opened(given, config.data.tfds_dir), *columns, line.update)
    line.finish(source.rows)
    return source


def _output(config, workdir, inputs):
    """Path of the predictions, in a folder that exists; `inputs`: parts of the source, of which it may be none."""
    output = pathlib.Path(config.predict.predict_output or workdir / "predicted.jsonl")
    if output.is_dir():
        raise UserError(f"--predict_output={output} is a folder; give a file")
    if output.exists() and any(output.samefile(part) for part in inputs if isinstance(part, pathlib.Path)):
        raise UserError(f"--predict_output={output} is --predict_input itself; give another file")
    make_folder(output.parent, "--predict_output")
    return output


def _identity(config, source, trained):
    """What the predictions are made from: a partial output of anything else is not continued."""
    flags = {name: value for name, value in config.flat().items() if name not in FREE_TO_CHANGE}
    digest = hashlib.sha256(json.dumps(flags, sort_keys=True).encode()).hexdigest()
    decided = dataclasses.asdict(config.decision)  # free to change, and yet part of every answer
    decided["out_of_scope_texts"] = out_of_scope.fingerprint(config)
    return {"texts": source.fingerprint, "weights": trained.fingerprint, "flags": digest, "decisions": decided}


def _continue(trained, source, partial):
    """Appends the predictions of every row that the partial output does not hold yet."""
    done, truncated = partial.counts.get("rows", 0), partial.counts.get("truncated", 0)
    if done:
        print(f"{partial.path}: {done} of {source.rows} texts are predicted already", file=sys.stderr)
    speed = _Speed(ProgressLine("predicting", source.rows, "texts"), done)
    try:
        for table in source.chunks(CHUNK_ROWS, done):
            logits, too_long = trained.answer(table, lambda rows, before=done: speed.show(before + rows))
            text = predictions.lines(trained.task, table, logits, first=done)
            done, truncated = done + len(table), truncated + int(too_long.sum())
            partial.append(text, {"rows": done, "truncated": truncated})
    except KeyboardInterrupt:
        print(f"stopped after {partial.counts.get('rows', 0)} texts; the same command goes on there", file=sys.stderr)
        raise


class _Speed:
    """A ProgressLine with texts per second since this process began."""

    def __init__(self, line, done):
        self.line, self.before, self.began = line, done, time.monotonic()

    def show(self, done):
        speed = (done - self.before) / max(1e-9, time.monotonic() - self.began)
        self.line.update(done, f"{speed:.0f} texts/s")
