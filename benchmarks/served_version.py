"""A proven version to measure: the one that is given, or one that a short training leaves."""

import contextlib
import json
import pathlib
import sys
import tempfile

from absl import flags

from benchmarks import real_text
from benchmarks.stages import Walk

FLAGS = flags.FLAGS
MODEL = "model"
_ROWS = 64  # a classifier of any quality costs the same


def define_flags():
    """Which version is asked."""
    flags.DEFINE_string("version_dir", "", "Version folder to ask; default: made in a minute of --encoder.")
    FLAGS.register_key_flag_for_module(sys.argv[0], FLAGS["version_dir"])


@contextlib.contextmanager
def base_path(walk=None):
    """A model_base_path that holds the version alone, as number 1; raises StageFailed where it cannot be made."""
    with tempfile.TemporaryDirectory() as folder:
        version = FLAGS.version_dir or _trained(walk or Walk(), pathlib.Path(folder))
        with linked(version) as found:
            yield found


@contextlib.contextmanager
def linked(version_dir):
    """A model_base_path that holds a version folder alone, as number 1."""
    with tempfile.TemporaryDirectory() as folder:
        found = pathlib.Path(folder) / MODEL
        found.mkdir()
        (found / "1").symlink_to(pathlib.Path(version_dir).resolve(), target_is_directory=True)
        yield found


def _trained(walk, folder):
    rows = [{"text": text, "label": "ab"[number % 2]} for number, text in enumerate(real_text.texts(_ROWS))]
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    told = {"data": data, "encoder": real_text.encoder_folder(), "workdir": folder / "run", "epochs": 1}
    told |= {"batch_size": 16, "device": "cpu", "doctor": "off", "model_name": MODEL}
    run = walk.command("train", "trainer.main", *(f"--{name}={value}" for name, value in told.items()))
    return pathlib.Path(run["export"]["version_dir"])
