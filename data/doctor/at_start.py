"""The doctor at the start of a training run: the quick checks over rows that have been read already."""

import dataclasses
import sys

from data.doctor.examine import CHUNK, Depth, Examination
from data.doctor.findings import NOTE
from data.doctor.rows import Rows, Source
from trainer.config import UserError
from trainer.inputs.stored_texts import StoredTexts

_LINES = 5  # findings that are shown


class Spoilt(UserError):
    """--doctor=strict found what would spoil the run."""

    exit_code = 1


def look(config, splits):
    """The Report on the rows of a run; {} with --doctor=off. Says on stderr what it found, errors first.

    Args:
        config: Config. splits: trainer.inputs Splits.

    Raises:
        Spoilt: an error, with --doctor=strict.
    """
    if config.data.doctor == "off":
        return {}
    report = examine(config, splits)
    if config.data.doctor == "strict" and report.errors:
        first = "; ".join(finding.message for finding in report.errors[:3])
        more = f"; and {len(report.errors) - 3} more" if len(report.errors) > 3 else ""
        raise Spoilt(f"--doctor=strict: {first}{more}; see python -m data.doctor, or give --doctor=warn")
    worth = [finding for finding in report.findings if finding.severity != NOTE]
    for finding in worth[:_LINES]:
        print(f"doctor: {finding.severity}: {finding.message}", file=sys.stderr)
    if len(worth) > _LINES:
        print(f"doctor: and {len(worth) - _LINES} more; all of them are in doctor.json", file=sys.stderr)
    return report.to_dict()


def examine(config, splits):
    """The Report of the quick checks over Splits: no MinHash, no languages, no personal data.

    Labels are looked at where a row has one of them; several of them, and scores, are checked as they are read.
    """
    looks_at_labels = config.model.task == "classification"
    data, depth = config.data, Depth(False, False, False)
    examination = Examination(Rows(StoredTexts()), *config.input.reach(config.model.task), depth=depth)
    for name, table in splits.named().items():
        # one group: however many files they came from, these are the splits of one data set
        columns = (data.text_column, data.text_pair_column, data.label_column if looks_at_labels else "")
        table = table if looks_at_labels else dataclasses.replace(table, labels=None)
        source = Source(table.path, *columns, split=name, group=data.data)
        for start in range(0, len(table), CHUNK):
            examination.see(table.take(range(start, min(start + CHUNK, len(table)))), source)
    return examination.report()
