"""Names of columns and labels: which of a file's are wanted, and which one a mistyped name may have meant."""

import difflib
import pathlib
import re

SUFFIXES = (".csv", ".tsv", ".jsonl")
TAGGED = (".conll",)  # files of a word and its tag a line
NESTED = (".json",)  # files of articles, paragraphs and questions, as SQuAD
RECORDS = (".parquet", ".arrow", ".tfrecord", ".tfrecords")  # files of values instead of lines
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})")


def kind_of(path):
    """The suffix (SUFFIXES … RECORDS, `.txt`) of a file name, `.gz` and `-00000-of-00004` taken off; else ""."""
    kinds = (*SUFFIXES, *TAGGED, *NESTED, ".txt", *RECORDS)
    return next((suffix for suffix in kinds if _plain(path).endswith(suffix)), "")


def shard_of(path):
    """(number, count) of a file called …-00000-of-00004…, or None."""
    match = _SHARD.search(pathlib.Path(path).name)
    return (int(match[1]), int(match[2])) if match else None


def stem_of(path):
    """The file name without its kind, `.gz` and the shard's number, in lower case."""
    return _plain(path).removesuffix(kind_of(path))


def _plain(path):
    return _SHARD.sub("", pathlib.Path(path).name.lower()).removesuffix(".gz")


def nearest(word, known):
    """The known word that looks most like `word`, or None; case does not count."""
    folded = {other.casefold(): other for other in reversed(list(known))}
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    return folded[near[0]] if near else None


def unknown_column(column, known):
    """What to say of a column that a file does not have: the nearest name, then all of them."""
    near = nearest(column, known)
    listed = ", ".join(f"'{name[:40]}'" for name in known[:20]) + (", …" if len(known) > 20 else "")
    hint = f"; did you mean '{near}'?" if near else ""
    if len(known) == 1 and any(mark in known[0] for mark in ";\t|"):
        hint = "; the columns seem to be separated by something else than the file's ending says"
    return f"no column '{column}'{hint} (columns: {listed})"


class Columns:
    """Where the wanted columns stand in the rows under a header. Raises ValueError where they do not all stand there.

    Args:
        header: list of str. wanted: names in the order in which their cells are picked. hint: what to say of a row
            with too few or too many cells.
    """

    def __init__(self, header, wanted, hint=""):
        if any("\r" in name for name in header):
            raise ValueError("the lines end in CR alone, as on old Macs; save with LF or CRLF line ends")
        for column in wanted:
            if header.count(column) > 1:
                raise ValueError(f"two columns are called '{column}'; rename one of them")
            if column not in header:
                raise ValueError(unknown_column(column, header))
        self.width, self.hint = len(header), hint
        self.places = [header.index(column) for column in wanted]

    def pick(self, row):
        """The wanted cells of a row. Raises ValueError where it is not as wide as the header."""
        if len(row) != self.width:
            more = "few" if len(row) < self.width else "many"
            raise ValueError(f"too {more} fields: {len(row)} where the header has {self.width}; {self.hint}")
        return [row[place] for place in self.places]
