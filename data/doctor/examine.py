"""One pass over every file, then what only shows when all rows are known."""

import dataclasses
import itertools

import numpy as np

from data.doctor import labels, languages, noise, overlaps, similar
from data.doctor.findings import ERROR, Tally, by_severity, printable
from data.doctor.lengths import Lengths
from data.doctor.texts import Cells, Personal, Texts
from trainer.config import UserError
from trainer.inputs.sources import Table, read_rows

CHUNK = 10_000  # rows
# What a reader's Fault is called here, and what it means.
FAULTS = {
    "encoding": ("broken_utf8", "{} rows are not UTF-8 (data.clean --fix=encoding)"),
    "columns": ("missing_column", None),
    "fields": ("wrong_fields", "{} rows have more or fewer fields than the header"),
    "csv": ("broken_csv", "{} rows are not CSV"),
    "json": ("broken_json", "{} rows are not JSON"),
    "value": ("not_a_string", "{} rows hold something else than a string"),
}


@dataclasses.dataclass(frozen=True)
class Depth:
    """What is looked for besides the quick checks."""

    similar: bool = True
    languages: bool = True
    personal: bool = True
    noise: bool = False


@dataclasses.dataclass(frozen=True)
class Report:
    """files: of each its path, split, rows and {label: rows}; the rest but `findings`: as --json has it."""

    files: list
    findings: list
    overlaps: list
    lengths: dict
    languages: dict
    noise: list

    @property
    def errors(self):
        """Findings that would spoil a run."""
        return [finding for finding in self.findings if finding.severity == ERROR]

    def to_dict(self):
        return {**vars(self), "findings": [finding.to_dict() for finding in self.findings]}


class Examination:
    """Takes the rows of each file once, chunk by chunk, and says in the end what was found.

    Args:
        rows: Rows.
        limit, named, count_tokens: see Lengths.
        depth: Depth.
        progress: callable (what, done, total); total 0: unknown.
    """

    def __init__(self, rows, limit, named, count_tokens=None, depth=Depth(), progress=lambda what, done, total: None):
        self.rows, self.depth, self.progress = rows, depth, progress
        self.lengths, self.faults = Lengths(limit, named, count_tokens), {}
        self.checks = [Cells(), labels.Spellings(), Texts(), *([Personal()] if depth.personal else []), self.lengths]

    def read(self, source):
        """Reads a file past its faults."""
        columns = [name for name in (source.text_column, source.pair_column, source.label_column) if name]
        found = read_rows(source.part or source.path, columns, lambda fault: self._fault(source, fault))
        self.rows.begin(source)
        done, told = 0, self._told()
        while chunk := self._some(source, found):
            self.see(_table(source, chunk), source)
            done += len(chunk)
            self.progress(f"reading {source.path}", done, 0)
        if not done and told == self._told():
            self._tally(source, "no_rows", f"{source.path} holds no rows").add(f"{source.path}:1", "")

    def see(self, table, source):
        """Takes a Table of some of a source's rows."""
        self.rows.add(table, source)
        for check in self.checks:
            check.see(table, source)

    def report(self):
        """The Report over all that was taken."""
        rows, depth = self.rows, self.depth
        rows.close()
        found = [*self._faults_found(), *itertools.chain.from_iterable(check.findings() for check in self.checks)]
        found += labels.findings(rows) + overlaps.contradictions(rows)
        shared = overlaps.overlaps(rows)
        found += itertools.chain.from_iterable(overlap.findings() for overlap in shared)
        if depth.similar:
            found += similar.findings(shared, similar.find_similar(rows, shared, self.progress))
        spoken, odd = languages.identify(rows) if depth.languages else ({}, [])
        doubted, doubts = noise.find_noise(rows, self.progress) if depth.noise else ([], [])
        return Report(
            files=[_file(rows, index) for index in range(len(rows.sources))],
            findings=by_severity(found + odd + doubts),
            overlaps=[overlap.to_dict() for overlap in shared],
            lengths=self.lengths.to_dict(),
            languages=spoken,
            noise=doubted,
        )

    def _some(self, source, found):
        """The next rows of a file; [] at its end, and where the rest of it cannot be had."""
        chunk = []
        try:
            chunk.extend(itertools.islice(found, CHUNK))  # what came before an error stays
        except UserError as error:
            self._tally(source, "unreadable", str(error)).add(source.path, "")
        return chunk

    def _fault(self, source, fault):
        check, message = FAULTS[fault.kind]
        where = f"{source.path}:{fault.line}"
        message = message or f"{source.path}: {printable(fault.message)}"
        self._tally(source, check, message).add(where, fault.message)

    def _tally(self, source, check, message):
        # one finding over all files, unless the message is of one file
        key = (source.path, check) if source.path in message else ("", check)
        return self.faults.setdefault(key, (message, Tally()))[1]

    def _told(self):
        return sum(tally.count for _, tally in self.faults.values())

    def _faults_found(self):
        for (_, check), (message, tally) in self.faults.items():
            yield from tally.found(check, ERROR, message)


def _table(source, found):
    lines, cells = np.array([line for line, _ in found], np.int64), [cells for _, cells in found]
    return Table(
        [row[0] for row in cells],
        [row[1] for row in cells] if source.pair_column else None,
        [row[-1] for row in cells] if source.label_column else None,
        source.path,
        lines,
    )


def _file(rows, index):
    source = rows.sources[index]
    counts = labels.label_counts(rows, index)
    return {"path": source.path, "split": source.split, "rows": len(rows.of(index)), "labels": counts}
