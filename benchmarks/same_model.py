"""One trained classifier in the form that each side serves: our proven versions, and a Hugging Face folder.

It is trained anew each time, on few rows, by today's code: what is measured is speed, and an old version would be the
speed of other code. The rows need be enough for probabilities that differ from text to text, no more.
"""

import json
import subprocess
import sys

from benchmarks import quality_datasets, quality_rows, quality_run
from benchmarks.stages import Walk

ROWS = {"train": 512, "dev": 64, "test": 64}
TRAIN = ("--epochs=1", "--noexport", "--doctor=off", "--calibration=none", "--projector_texts=0", "--device=cpu")


def make(folder, source, encoder, precisions, length, rows=ROWS):
    """Trains on rows of the folder `source` and writes every form below `folder`.

    Returns:
        ({precision: folder of our version}, the Hugging Face folder).

    Raises:
        StageFailed, RunError: a command that failed; it has said why.
    """
    data = folder / "data"
    data.mkdir(parents=True)
    for split, count in rows.items():
        read = quality_rows.read_split(source, split, quality_datasets.DATASETS["quickstart"])[:count]
        text = "".join(json.dumps(row) + "\n" for row in read)
        (data / f"{split}.jsonl").write_text(text, encoding="utf-8")
    stages, flags = Walk(), [f"--workdir={folder / 'run'}", f"--data={data}", f"--encoder={encoder}"]
    flags += [f"--sequence_length={length}", *TRAIN]
    stages.command("train", "trainer.main", *flags)
    versions = {precision: _export(stages, flags, precision) for precision in precisions}
    transformers = folder / "transformers"
    command = [sys.executable, "-m", "benchmarks.as_transformers", transformers, *flags]
    if subprocess.run(list(map(str, command)), stdout=sys.stderr, cwd=quality_run.ROOT).returncode:
        raise quality_run.RunError("the model could not be written for transformers; the reason stands above", 1)
    return versions, transformers


def _export(stages, flags, precision):
    told = (*flags, "--mode=export", f"--serving_precision={precision}")
    done = stages.command(f"export {precision}", "trainer.main", *told)
    return done["export"]["version_dir"]
