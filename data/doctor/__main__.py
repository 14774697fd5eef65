"""`python -m data.doctor FILE …`: what is wrong with labelled text; exit code 1 where it would spoil a run."""

import json
import sys

from absl import flags

from data import command
from data.doctor.examine import Depth, Examination
from data.doctor.lengths import token_counter
from data.doctor.rows import Rows
from data.doctor.sources import find_sources
from data.progress import Progress
from data.whole_file import check_place
from trainer.config import InputConfig, UserError, cache_dir
from trainer.inputs.stored_texts import StoredTexts

USAGE = """usage: python -m data.doctor [--name=value ...] FILE_OR_FOLDER ...
Looks for what is wrong with labelled text (.csv .tsv .jsonl, also .gz). The train, dev and test files of a folder are
one data set; every other file is compared with them. Exit code 0: nothing that would spoil a run, 1: an error was
found, 2: a mistake on the command line."""


def main(arguments=None):
    """Runs the command; returns the exit code of the process."""
    return command.guarded(run, arguments)


def run(arguments):
    """Examines what the command line names and prints the report."""
    values = define()
    given = command.parse(values, "doctor", arguments, "\n".join([USAGE, "flags:", *command.flag_lines(values)]))
    if given is None:
        return 0
    if not given:
        raise UserError(
            "no file: give files, or a folder with train, dev and test files; see python -m data.doctor --help"
        )
    if values.html:
        check_place(values.html)  # before the work, not after it
    report = examine(given, values)
    if values.html:
        from data.doctor import page  # matplotlib takes its time

        page.write(report, values.html)
    if values.json:
        print(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        from data.doctor import shown

        shown.print_report(report)
    return 1 if report.errors else 0


def examine(given, values):
    """The Report over the files and folders `given`."""
    if values.sequence_length < 4:
        raise UserError(f"--sequence_length={values.sequence_length}: allowed is 4 or more")
    cache = cache_dir(values.cache_dir)
    sources = find_sources(given, (values.text_column, values.text_pair_column, values.label_column), cache)
    depth = Depth(values.similar, values.languages, values.personal, values.noise)
    counter = token_counter(values.encoder, cache)
    lines = _Lines()
    named = f"--sequence_length={values.sequence_length}"
    examination = Examination(Rows(StoredTexts()), values.sequence_length, named, counter, depth, lines)
    for source in sources:
        examination.read(source)
    report = examination.report()
    lines.close()
    return report


class _Lines:
    """A progress line on stderr for each thing that is done."""

    def __init__(self):
        self.line, self.what = None, None

    def __call__(self, what, done, total):
        if what != self.what:
            self.close()
            self.line, self.what = Progress(what, total, unit=_UNITS.get(what.partition(" ")[0], "rows")), what
        self.line.reach(done)

    def close(self):
        """Leaves the last count of a line that is rewritten in place."""
        if self.line and self.line.live:
            self.line.close()


_UNITS = {"comparing": "bands", "judging": "data sets"}


def define():
    """The flags of this command, apart from absl's global ones."""
    values = flags.FlagValues()
    command.define_columns(values)
    limit = InputConfig.__dataclass_fields__["sequence_length"]
    flags.DEFINE_integer("sequence_length", limit.default, limit.metadata["help"], flag_values=values)
    texts = {
        "encoder": "Folder or pip:NAME whose tokens are counted; else words.",
        "cache_dir": "Where pip:NAME lies; default $SLIPWAY_CACHE, else ~/.cache/slipway.",
        "html": "Also write the report as one page, with pictures, to this file.",
    }
    for name, about in texts.items():
        flags.DEFINE_string(name, "", about, flag_values=values)
    switches = {
        "similar": (True, "Look for nearly alike texts by MinHash."),
        "languages": (True, "Look for rows in another language than the others."),
        "personal": (True, "Count probable personal data; it is never printed whole."),
        "noise": (False, "List suspicious labels, by cross-validation and cleanlab."),
        "json": (False, "Print one JSON object instead of tables."),
    }
    for name, (default, about) in switches.items():
        flags.DEFINE_bool(name, default, about, flag_values=values)
    return values


if __name__ == "__main__":
    sys.exit(main())
