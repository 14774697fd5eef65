"""Two proven versions that answer differently, of an encoder of two layers, made in a minute or two; or two given."""

import contextlib
import dataclasses
import json
import pathlib
import sys
import tempfile

import numpy as np
from absl import flags

from benchmarks import real_text
from benchmarks.stages import Walk
from serving.exchange import strings
from serving.loader import ServedVersion

FLAGS = flags.FLAGS
MODEL = "model"
TEXTS = 64  # that are asked
_ROWS = 256
_SIZE = ("--layers=2", "--hidden=64", "--heads=2", "--intermediate=256", "--size=2000")


def define_flags():
    """Which versions are asked."""
    flags.DEFINE_list("version_dirs", [], "Two version folders; default: made of the movie snippets, at two seeds.")
    FLAGS.register_key_flag_for_module(sys.argv[0], FLAGS["version_dirs"])
    flags.register_validator("version_dirs", lambda given: len(given) in (0, 2), "give two folders, or none")


@dataclasses.dataclass(frozen=True)
class Answers:
    """What each version says to each text, asked in this process."""

    texts: list
    scores: np.ndarray  # <float>[versions, texts]

    def which(self, number, result, tolerance=1e-5):
        """The version (0, 1) whose own answer to the text of that number a Classification is; None for neither."""
        near = np.abs(self.scores[:, number] - next(iter(result.probabilities.values()))) <= tolerance
        return int(np.argmax(near)) if near.any() else None


@contextlib.contextmanager
def versions():
    """The two folders; raises StageFailed where they cannot be made."""
    if FLAGS.version_dirs:
        yield [pathlib.Path(each).resolve() for each in FLAGS.version_dirs]
        return
    with tempfile.TemporaryDirectory(prefix="slipway-versions-") as folder:
        yield _trained(pathlib.Path(folder))


def answers(folders):
    """The Answers of version folders to real texts. ValueError where the versions cannot be told apart by them."""
    texts = real_text.texts(TEXTS)
    scores = []
    for folder in folders:
        with ServedVersion(folder) as version:
            scores.append(version.run("serving_default", {"text": strings(texts)})["probabilities"][:, 0])
    told = Answers(texts, np.stack(scores))
    if np.abs(told.scores[0] - told.scores[1]).min() < 1e-4:
        raise ValueError(f"{folders[0]} and {folders[1]} answer a text alike; give two versions that do not")
    return told


def _trained(folder):
    walk = Walk()
    rows = [{"text": text, "label": "ab"[number % 2]} for number, text in enumerate(real_text.texts(_ROWS))]
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    walk.command("vocabulary", "data.vocabulary", f"--input={data}", f"--output={folder / 'encoder'}", *_SIZE)
    told = {"data": data, "encoder": folder / "encoder", "batch_size": 16, "epochs": 1, "learning_rate": 1e-3}
    told |= {"doctor": "off", "device": "cpu", "model_name": MODEL, "sequence_length": 128}
    given = [f"--{name}={value}" for name, value in told.items()] + ["--from_scratch"]
    runs = [
        walk.command(f"train {seed}", "trainer.main", *given, f"--seed={seed}", f"--workdir={folder / str(seed)}")
        for seed in (1, 2)
    ]
    return [pathlib.Path(run["export"]["version_dir"]) for run in runs]
