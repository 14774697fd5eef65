import numpy as np
import pytest

from data.doctor.overlaps import repeats, shared
from data.keys import exact_key, near_key
from trainer.inputs.stored_texts import StoredTexts


def test_repeats_name_the_first_of_each():
    rows, firsts = repeats(np.array([5, 7, 5, 0, 7, 5, 0]))
    assert rows.tolist() == [2, 4, 5] and firsts.tolist() == [0, 1, 0]
    assert repeats(np.zeros(0, np.int64))[0].tolist() == []


def test_shared_names_the_first_of_the_others():
    rows, firsts = shared(np.array([9, 1, 3, 0, 3]), np.array([3, 0, 9, 3]))
    assert rows.tolist() == [0, 2, 4] and firsts.tolist() == [2, 0, 0]
    assert shared(np.array([1]), np.zeros(0, np.int64))[0].tolist() == []


@pytest.mark.parametrize(
    "one, other, exact, near",
    [
        ("a  b\n", " a b", True, True),
        ("A b", "a, B!", False, True),
        ("价格，不错。", "价格不错", False, True),
        ("价格不错", "价格不对", False, False),
        ("snake_case", "Snake case", False, True),
        ("!!!", "???", False, False),
        ("😀", "😡", False, False),
        ("１", "1", False, False),
    ],
)
def test_keys(one, other, exact, near):
    assert (exact_key(one) == exact_key(other)) is exact
    assert (near_key(one) == near_key(other)) is near


def test_a_pair_is_not_the_text_that_its_halves_make_together():
    assert near_key("ab", "c") != near_key("a", "bc") and exact_key("a b", "c") != exact_key("a", "b c")


def test_texts_come_back_from_the_disk_as_they_were():
    texts = StoredTexts()
    given = ["a", "", "中文 \udce9", "b\nc"]
    texts.extend(given)
    assert [texts[row] for row in (3, 2, 1, 0)] == given[::-1] and len(texts) == 4
