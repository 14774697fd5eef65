"""Texts of files and the batches that they are sent in."""

import io
import itertools
import types

import pytest

from serving.contract import ServingError
from serving.load import texts


def file(path, data):
    path.write_bytes(data)
    return path


def test_lines_are_texts_as_they_stand(tmp_path):
    path = file(tmp_path / "a.txt", " 电影 \r\n\nlast".encode())
    assert texts.read_rows(path) == [(" 电影 ",), ("",), ("last",)]


def test_stdin_and_pairs(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(b"a\nb\n")))
    assert texts.read_rows("-", file(tmp_path / "pairs.txt", b"1\n2\n")) == [("a", "1"), ("b", "2")]


def test_batches_hold_all_rows_in_an_order_that_the_seed_settles():
    rows = [(str(number),) for number in range(10)]
    first, again, other = (list(itertools.islice(texts.batches(rows, 4, seed), 5)) for seed in (1, 1, 2))
    assert first == again != other and [len(batch) for batch in first] == [4] * 5
    sent = sum(first, [])
    assert sorted(sent[:10]) == rows and sent[10:] == sent[:10] and sent[:10] != rows
    assert len(next(texts.batches(rows[:2], 5, 0))) == 5, "a batch may be larger than the file"


@pytest.mark.parametrize(
    ("data", "pairs", "message"),
    [
        (None, None, "a.txt: No such file or directory; give a file of texts"),
        (b"", None, "a.txt is empty"),
        (b"a\n\xff\n", None, "a.txt:2 is not UTF-8"),
        (b"a\nb\n", b"1\n", "has 2 lines but .*b.txt has 1; give one pair per text"),
    ],
)
def test_files_that_will_not_do(tmp_path, data, pairs, message):
    first, second = tmp_path / "a.txt", None if pairs is None else file(tmp_path / "b.txt", pairs)
    if data is not None:
        file(first, data)
    with pytest.raises(ServingError, match=message) as caught:
        texts.read_rows(first, second)
    assert caught.value.exit_code == 2
