"""Ratings → labels, and the split that never moves."""

import random

import pytest

from data import snippets
from tests.data import artifacts
from trainer.config import EnvironmentFault


@pytest.fixture
def rows():
    return snippets.labelled(snippets.rated_rows(artifacts.rated_bytes()))


def split(rows):
    return snippets.split_rows(rows, artifacts.TEST_ROWS, artifacts.DEV_ROWS)


def test_rated_rows_collapse_white_space_and_keep_quotes():
    raw = b'1\t2.5\tA 9" TV\twith  a\xc2\xa0tab\r\n2\t-0.6\tEh.\r\n'
    assert snippets.rated_rows(raw) == [('A 9" TV with a tab', 2.5), ("Eh.", -0.6)]


@pytest.mark.parametrize("raw", [b"1\tgood\tText\n", b"1\t2.5\n", b"just text\n"])
def test_rated_rows_name_the_line_that_is_no_row(raw):
    with pytest.raises(EnvironmentFault, match="line 2: not"):
        snippets.rated_rows(b"1\t2.0\tFine\n" + raw)


def test_rated_rows_refuse_other_encodings():
    with pytest.raises(EnvironmentFault, match="byte 6 is not UTF-8"):
        snippets.rated_rows(b"1\t2.0\t\xe9t\xe9\n")


def test_label_is_the_sign_of_the_rating_and_neutral_rows_go():
    rated = [("a", 0.5), ("b", -0.5), ("c", 0.49), ("d", -0.49), ("...", 3.0), ("e", 4.0)]
    assert snippets.labelled(rated) == [("a", "positive"), ("b", "negative"), ("e", "positive")]
    assert snippets.neutral(rated) == [("c", "neutral"), ("d", "neutral"), ("...", "neutral")]


def test_key_is_letters_and_digits_alone():
    assert snippets.key_of("...A Pretentious, mess (2)!") == snippets.key_of("a pretentious mess 2")
    assert snippets.key_of("Élan") == "élan"


def test_split_is_the_same_whatever_the_order_of_the_rows(rows):
    first = split(rows)
    for seed in range(5):
        shuffled = random.Random(seed).sample(rows, len(rows))
        assert split(shuffled) == first


def test_split_has_the_sizes_asked_for_and_each_labels_share(rows):
    counts = snippets.row_counts(split(rows))
    assert counts["test"] == {"negative": 14, "positive": 10}  # 24 · 70/120
    assert counts["dev"] == {"negative": 7, "positive": 5}
    assert sum(counts["train"].values()) == len(rows) - 36


def test_every_row_is_in_one_split_and_no_key_in_two(rows):
    splits = split(rows)
    assert sorted(row for part in splits.values() for row in part) == sorted(rows)
    keys = {name: {snippets.key_of(text) for text, _ in part} for name, part in splits.items()}
    assert not keys["train"] & keys["test"]
    assert not keys["train"] & keys["dev"]
    assert not keys["dev"] & keys["test"]


@pytest.mark.parametrize("size", range(2, 9))
def test_rows_of_one_key_stay_together_wherever_the_quota_ends(size):
    rows = [("Same!", "negative"), ("same", "negative"), ("SAME?", "negative")]
    rows += [(f"other {i}", "negative") for i in range(10)]
    splits = snippets.split_rows(rows, test_rows=size, dev_rows=3)
    homes = [name for name, part in splits.items() for text, _ in part if snippets.key_of(text) == "same"]
    assert len(homes) == 3
    assert len(set(homes)) == 1
    assert len(splits["test"]) == size


def test_shares_sum_exactly():
    assert snippets.shares(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert snippets.shares(2600, {"negative": 5076, "positive": 4996}) == {"negative": 1310, "positive": 1290}


def test_table_is_a_header_and_tabs_without_quoting():
    assert snippets.table([('A 9" TV', "negative")]) == b'text\tlabel\nA 9" TV\tnegative\n'
