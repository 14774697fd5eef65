"""Tags of words are the spans that seqeval reads in them, and lie where the words stand in the text."""

import pytest

from trainer.inputs.tags import spans_of_tags, tagged_spans, text_of_words


# The answers are those of seqeval 1.2.2 in its strict mode.
@pytest.mark.parametrize(
    "scheme, tags, expected",
    [
        ("BIO", "B-X I-X I-Y O B-X B-X I-X", [(0, 2, "X"), (4, 5, "X"), (5, 7, "X")]),
        ("BIO", "I-X B-Y I-Y", [(1, 3, "Y")]),
        ("BIO", "", []),
        ("BIOES", "S-X B-X I-X E-X B-Y I-Y O B-Y E-X S-Y", [(0, 1, "X"), (1, 4, "X"), (9, 10, "Y")]),
        ("BIOES", "E-X B-X S-X I-X B-X E-X E-X", [(2, 3, "X"), (4, 6, "X")]),
        ("IOB1", "I-X I-X B-X I-X I-Y O B-X", [(0, 2, "X"), (2, 4, "X"), (4, 5, "Y")]),
        ("IOB1", "B-X I-X O I-X B-X B-Y", [(1, 2, "X"), (3, 4, "X")]),
    ],
)
def test_tags_are_read_as_seqeval_reads_them(scheme, tags, expected):
    assert tagged_spans(tags.split(), scheme) == expected


@pytest.mark.parametrize("scheme, tag", [("BIO", "E-X"), ("IOB1", "S-X"), ("BIO", "B"), ("BIO", "X"), ("BIOES", "O-X")])
def test_a_tag_of_another_scheme_is_refused(scheme, tag):
    with pytest.raises(ValueError, match=f"'{tag}' is none of O, "):
        tagged_spans(["O", tag], scheme)


def test_words_become_a_text_and_its_spans():
    text, bounds = text_of_words(["U.S.", "中国", "🇩🇪", "!"])
    found = spans_of_tags(["B-LOC", "B-LOC", "I-LOC", "O"], bounds)
    assert [(text[start:end], kind) for start, end, kind in found] == [("U.S.", "LOC"), ("中国 🇩🇪", "LOC")]
    assert text_of_words([]) == ("", [])


def test_what_is_written_without_spaces_stays_so():
    words = ["我", "爱", "北京", "，", "in", "2024", "年", "カ", "ナ"]
    text, bounds = text_of_words(words)
    assert text == "我爱北京， in 2024 年カナ"
    assert [text[start:end] for start, end in bounds] == words


def test_a_tag_that_continues_nothing_has_no_type():
    text, bounds = text_of_words(["in", "New", "York", "now"])
    found = spans_of_tags(["O", "I-LOC", "B-LOC", "I-ORG"], bounds)
    assert [(text[start:end], kind) for start, end, kind in found] == [("New", None), ("York", "LOC"), ("now", None)]
