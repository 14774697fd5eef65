"""A file that is counted and checked first, and read in chunks then."""

import gzip
import json

import pytest

from trainer.config import UserError
from trainer.inputs.text_file import TextFile

TEXTS = [f"text {number}" for number in range(23)] + ["", "a,b", "电影 😀"]


@pytest.fixture
def path(tmp_path):
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps({"text": text, "n": 1}) + "\n" for text in TEXTS))
    return tmp_path / "texts.jsonl"


def texts(chunks):
    return [text for table in chunks for text in table.texts]


def test_rows_are_counted_and_come_in_chunks(path):
    seen = []
    source = TextFile(path, progress=seen.append)
    assert source.rows == len(TEXTS) == seen[-1]
    chunks = list(source.chunks(10))
    assert [len(table) for table in chunks] == [10, 10, 6] and texts(chunks) == TEXTS


@pytest.mark.parametrize("done", [0, 1, 9, 10, 11, 20, 25, 26])
def test_from_any_row_on_the_cuts_are_the_same(path, done):
    chunks = list(TextFile(path).chunks(10, done))
    assert texts(chunks) == TEXTS[done:]
    ends = [done + sum(map(len, chunks[: i + 1])) for i in range(len(chunks))]
    assert set(ends) <= {10, 20, 26}
    assert [table.where(0) for table in chunks[:1]] == [f"{path}:{done + 1}"][: len(chunks)]


def test_the_fingerprint_is_of_the_rows_not_of_the_file(path, tmp_path):
    same = tmp_path / "other.csv.gz"
    with gzip.open(same, "wt", encoding="utf-8") as file:
        file.writelines(["n,text\n", *(f'2,"{text}"\n' for text in TEXTS)])
    assert TextFile(same).fingerprint == TextFile(path).fingerprint
    path.write_text(path.read_text().replace("text 22", "text 23"))
    assert TextFile(same).fingerprint != TextFile(path).fingerprint


def test_cells_that_join_to_the_same_characters_are_not_the_same_rows(tmp_path):
    for name, rows in (("a", ["x", "yz"]), ("b", ["xy", "z"])):
        (tmp_path / f"{name}.txt").write_text("\n".join(rows))
    assert TextFile(tmp_path / "a.txt").fingerprint != TextFile(tmp_path / "b.txt").fingerprint


def test_a_fault_in_the_last_row_is_told_before_any_work(path):
    with open(path, "a") as file:
        file.write('{"txt": "x"}\n')
    with pytest.raises(UserError, match=r"texts.jsonl:27: no column 'text'; did you mean 'txt'"):
        TextFile(path)


def test_a_file_that_changes_while_it_is_read_is_told_of(path):
    source = TextFile(path)
    with open(path, "a") as file:
        file.write('{"text": "one more"}\n')
    with pytest.raises(UserError, match="texts.jsonl changed while it was read; give the same command again"):
        list(source.chunks(10))
    with pytest.raises(UserError, match="changed while it was read"):
        list(source.chunks(10, done=20))
