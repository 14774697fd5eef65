"""Learns the vocabulary of a new encoder from texts: `python -m data.vocabulary --input=FILES --output=FOLDER`."""

import itertools
import json
import os
import sys

from absl import flags

from data import bert_folder, command, whole_folder
from data.bert_folder import Size
from data.progress import Progress
from trainer.config import DataConfig, UserError
from trainer.inputs.sources import read_chunks

USAGE = """usage: python -m data.vocabulary --input=FILES --output=FOLDER [--size=8000] [--layers=4 …] [--json]
Learns a WordPiece vocabulary from texts and writes the Hugging Face folder of a BERT of the given size, without
weights: --encoder=FOLDER --from_scratch draws them. FILES: a file (.txt: one text a line), a quoted pattern, or
several with commas between them."""
_NUMBERS = {  # flag: default, least, what it says
    "size": (8000, 100, "Tokens of the vocabulary at most."),
    "layers": (4, 1, "Layers of the encoder."),
    "hidden": (256, 1, "Width of a token's vector."),
    "heads": (4, 1, "Heads of attention; they share --hidden evenly."),
    "intermediate": (1024, 1, "Width inside a layer."),
    "positions": (512, 4, "Longest input in tokens."),
}


def main(arguments=None):
    """Runs the command; returns the exit code of the process."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return command.guarded(run, arguments, "interrupted; nothing was written")


def run(arguments):
    """Learns, writes the folder whole or not at all, and prints what it holds."""
    values = define()
    given = command.parse(values, "vocabulary", arguments, "\n".join([USAGE, *command.flag_lines(values)]))
    if given is None:
        return
    sources = _checked(values, given)
    from data import wordpieces  # TensorFlow, which a mistake in the flags need not wait for
    from trainer.models.wordpiece import NormalizerSettings

    settings = NormalizerSettings(lowercase=values.lowercase)
    tables = itertools.chain.from_iterable(_tables(source, values.text_column) for source in sources)
    progress = Progress("reading", 0, unit="texts")
    counts = wordpieces.count_words(tables, settings, progress.reach)
    progress.close()
    vocabulary = wordpieces.learn(counts, values.size)
    with whole_folder.whole_folder(values.output) as folder:
        bert_folder.write(folder, vocabulary, settings, _size(values))
    _print(values, counts, vocabulary)


def define():
    """The flags of this command, apart from absl's global ones."""
    values = flags.FlagValues()
    text = DataConfig.__dataclass_fields__["text_column"]
    for name, default, about in (
        ("input", "", "Texts to learn from."),
        ("output", "", "Folder to write; it must not be there yet."),
        ("text_column", text.default, text.metadata["help"]),
    ):
        flags.DEFINE_string(name, default, about, flag_values=values)
    for name, (default, _, about) in _NUMBERS.items():
        flags.DEFINE_integer(name, default, about, flag_values=values)
    flags.DEFINE_bool("lowercase", True, "Lower-case letters and drop their accents.", flag_values=values)
    flags.DEFINE_bool("json", False, "Print one JSON object.", flag_values=values)
    return values


def _checked(values, given):
    """The sources that --input names. Raises UserError for the first flag that is no good."""
    if given:
        raise UserError(f"{given[0]}: no file is allowed here; give --input=FILES and --output=FOLDER")
    sources = [source.strip() for source in values.input.split(",") if source.strip()]
    for name, empty in (("input", not sources), ("output", not values.output)):
        if empty:
            raise UserError(f"--{name} is empty; see python -m data.vocabulary --help")
    for name, (_, least, _) in _NUMBERS.items():
        if values[name].value < least:
            raise UserError(f"--{name}={values[name].value}: allowed is {least} or more")
    if values.hidden % values.heads:
        raise UserError(f"--hidden={values.hidden} does not divide over --heads={values.heads}; give a multiple")
    whole_folder.check_place(values.output)
    return sources


def _tables(source, text_column):
    return read_chunks(source, text_column, need_labels=False)


def _size(values):
    return Size(values.layers, values.hidden, values.heads, values.intermediate, values.positions)


def _print(values, counts, vocabulary):
    known = set(vocabulary)
    whole = sum(count for word, count in counts.items() if word in known) / counts.total()
    found = {"folder": values.output, "tokens": len(vocabulary), "words": counts.total(), "whole_words": whole}
    if values.json:
        print(json.dumps(found))
    else:
        print(
            f"{values.output}: {len(vocabulary)} tokens; of {counts.total():,} words {whole:.1%} are tokens themselves"
        )
        print(f"to pre-train it: --task=mlm --encoder={values.output} --from_scratch")


if __name__ == "__main__":
    sys.exit(main())
