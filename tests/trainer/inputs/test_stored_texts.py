"""Texts in a file behave as a list of them; a table of many rows keeps its texts there."""

import json

import pytest

from trainer.config import DataConfig, EnvironmentFault
from trainer.inputs import sources
from trainer.inputs.labels import fingerprint
from trainer.inputs.sources import read_chunks, read_table
from trainer.inputs.splits import load_splits
from trainer.inputs.stored_texts import StoredTexts

TEXTS = ["plain", "", "zwei\nZeilen", "电影 😀", "half a pair \ud83d", "last"]
ROWS = 25_000


@pytest.fixture
def stored():
    texts = StoredTexts()
    texts.extend(TEXTS[:2])
    assert texts[1] == ""  # what is read between two writes does not move what comes after
    texts.extend(TEXTS[2:])
    return texts


def test_they_are_read_as_a_list_is(stored):
    assert len(stored) == 6 and list(stored) == TEXTS
    assert [stored[row] for row in (0, 5, -1, -6)] == ["plain", "last", "last", "plain"]
    assert stored[1:4] == TEXTS[1:4] and stored[::-1] == TEXTS[::-1] and stored[4:99] == TEXTS[4:]
    for row in (6, -7):
        with pytest.raises(IndexError):
            stored[row]


def test_some_of_them_in_any_order(stored):
    some = stored.take([5, 0, 3, 3])
    assert list(some) == ["last", "plain", TEXTS[3], TEXTS[3]] and len(some) == 4
    assert some[1:3] == ["plain", TEXTS[3]] and some[-1] == TEXTS[3]
    assert list(some.take([1, 0])) == ["plain", "last"]
    with pytest.raises(IndexError):
        some[4]
    assert list(stored.take([])) == []


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file of more rows than one chunk holds, with pairs."""
    path = tmp_path_factory.mktemp("large") / "all.jsonl"
    rows = ({"text": f"text {n}", "other": f"pair {n % 7}", "label": f"l{n % 3}"} for n in range(ROWS))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_large_table_is_the_chunks_end_to_end(large):
    table = read_table(large, pair_column="other")
    assert isinstance(table.texts, StoredTexts) and isinstance(table.pairs, StoredTexts)
    chunks = list(read_chunks(large, pair_column="other"))
    for name in ("texts", "pairs", "labels"):
        assert list(getattr(table, name)) == [cell for chunk in chunks for cell in getattr(chunk, name)]
    assert table.where(ROWS - 1) == f"{large}:{ROWS}" and table.files is None and table.path == str(large)
    assert len(set(map(id, table.labels))) == 3  # a million labels are a few strings
    some = table.take([ROWS - 1, 0])
    assert list(some.texts) == [f"text {ROWS - 1}", "text 0"] and some.labels == ["l0", "l0"]
    assert read_table(large, need_labels=False).labels is None


def test_rows_of_several_large_files_know_their_own(large, tmp_path):
    other = tmp_path / "b.jsonl"
    other.write_text('{"text": "only", "label": "l1"}\n')
    table = read_table([large, other])
    assert len(table) == ROWS + 1 and table.where(ROWS) == f"{other}:1" and table.where(0) == f"{large}:1"


def test_splits_of_a_large_file_are_those_of_its_rows_in_memory(large, monkeypatch):
    config = DataConfig(data=str(large), text_pair_column="other")
    stored = load_splits(config, "nowhere")
    monkeypatch.setattr(sources, "StoredTexts", _InMemory)
    in_memory = load_splits(config, "nowhere")
    assert fingerprint(stored) == fingerprint(in_memory)
    assert stored.test.lines.tolist() == in_memory.test.lines.tolist()
    assert isinstance(in_memory.train.texts, list) and not isinstance(stored.train.texts, list)


class _InMemory(list):
    """What StoredTexts was before there were any."""


def test_a_full_disk_is_one_line(large, monkeypatch):
    def full(self, texts):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(StoredTexts, "extend", full)
    with pytest.raises(
        EnvironmentFault, match="No space left on device; texts are kept there: free some space"
    ) as fault:
        read_table(large)
    assert fault.value.exit_code == 5
