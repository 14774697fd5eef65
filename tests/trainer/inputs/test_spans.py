"""Spans of every form become one, and what does not fit its text is counted, listed, refused when it is too much."""

import json

import pytest

from trainer.config import Config, TargetConfig, UserError
from trainer.inputs.label_columns import label_column
from trainer.inputs.sources import read_table

TEXT = "Ada met 小明 in Paris 👍🏽 today"
SPANS = [[0, 3, "PER"], [8, 10, "PER"], [14, 19, "LOC"]]
TAGS = "B-PER O B-PER O B-LOC O O"
CONLL = "".join(f"{word} x {tag}\n" for word, tag in zip(TEXT.split(), TAGS.split(), strict=True))


def table(path, content, **target):
    """The normalised Table of a file, read as --task=tagging reads it."""
    path.write_text(content, encoding="utf-8")
    column = label_column("spans", Config(target=TargetConfig(**target)))
    columns = column.text_column("text"), "", column.column("label")
    return column.normalised(read_table(path, *columns, empty=column.may_be_empty))


def refusal(path, content, **target):
    with pytest.raises(UserError) as caught:
        table(path, content, **target)
    return str(caught.value)


def jsonl(*rows):
    return "".join(
        json.dumps(dict(zip(("text", "label"), row, strict=True)), ensure_ascii=False) + "\n" for row in rows
    )


@pytest.mark.parametrize(
    "name, content",
    [
        ("rows.jsonl", jsonl((TEXT, SPANS))),
        ("rows.jsonl", jsonl((TEXT, [[*span, TEXT[span[0] : span[1]]] for span in SPANS]))),
        ("rows.jsonl", jsonl((TEXT, [dict(zip(("start", "end", "label"), span, strict=True)) for span in SPANS]))),
        ("rows.jsonl", jsonl((TEXT, TAGS.split()))),
        ("rows.jsonl", jsonl((TEXT.split(), TAGS.split()))),
        ("rows.jsonl", jsonl((TEXT, TAGS))),
        ("rows.jsonl", jsonl((TEXT, json.dumps(SPANS[::-1])))),
        ("rows.tsv", f"text\tlabel\n{TEXT}\t{TAGS}\n"),
        ("rows.conll", f"-DOCSTART- x O\n\n{CONLL}\n\n"),
        ("rows.conll", CONLL.replace(" ", "\t").replace("\n", "\r\n")),
    ],
)
def test_every_form_is_one(tmp_path, name, content):
    found = table(tmp_path / name, content)
    assert list(found.texts) == [TEXT] and json.loads(found.labels[0]) == SPANS
    assert [TEXT[start:end] for start, end, _ in SPANS] == ["Ada", "小明", "Paris"]


def test_parquet_rows_of_words_and_tags(tmp_path):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = {"text": [TEXT.split()], "label": [TAGS.split()]}
    parquet.write_table(pa.table(rows), tmp_path / "rows.parquet")
    column = label_column("spans", Config())
    found = column.normalised(
        read_table(tmp_path / "rows.parquet", column.text_column("text"), "", column.column("label"), empty=True)
    )
    assert list(found.texts) == [TEXT] and json.loads(found.labels[0]) == SPANS


def test_a_text_without_spans(tmp_path):
    found = table(tmp_path / "rows.jsonl", jsonl(("a", []), ("b", None), ("c d", "O O"), ("e", [[0, 1, "X"]])))
    assert found.labels == ["[]", "[]", "[]", '[[0, 1, "X"]]']


def test_texts_of_a_conll_file_begin_where_they_stand(tmp_path):
    found = table(tmp_path / "rows.conll", f"\n{CONLL}\n-DOCSTART- x O\n\nAda x B-PER\n")
    assert [found.where(row).rpartition(":")[2] for row in (0, 1)] == ["2", "12"]


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("a.conll", "Ada B-PER\nmet\n", "a.conll:2: 1 columns where the text's first word has 2"),
        ("a.conll", "Ada B-PER\n\nmet X-PER\n", "a.conll:3: in the text that begins here, tag 'X-PER' is none of O, B"),
        ("a.conll", "Ada\nmet\n", "a.conll:1: in the text that begins here, each line must have a word and a tag"),
        ("a.jsonl", jsonl(("a b", "O")), "a.jsonl:1: 1 tags for 2 words; allowed are [[start, end, label], …], "),
        ("a.jsonl", jsonl(("a b", "O E-X")), "a.jsonl:1: tag 'E-X' is none of O, B-TYPE, I-TYPE; --tag_scheme=BIO r"),
        ("a.jsonl", jsonl(("a b", "[[0, 1")), "a.jsonl:1: the spans are not JSON at character 7; allowed are [["),
        ("a.jsonl", jsonl(("a b", [[0, "x", "X"]])), "a.jsonl:1: column 'label' has ['0', 'x', 'X'] for a span; all"),
        ("a.jsonl", jsonl(("a b", [{"begin": 0}])), "a.jsonl:1: column 'label' has {'begin': '0'} for a span; allowed"),
        ("a.jsonl", jsonl(("a b", 7)), "a.jsonl:1: 1 tags for 2 words; allowed are [[start, end, label], …], [{"),
    ],
)
def test_what_is_no_list_of_spans_is_refused_with_its_line(tmp_path, name, content, said):
    assert said in refusal(tmp_path / name, content)


WRONG = {
    "span 0 to 9 lies outside of its text of 3 characters": [0, 9, "X"],
    "span 2 to 2 lies outside": [2, 2, "X"],
    "span 0 to 1 is 'a' and not 'b'": [0, 1, "X", "b"],
    "span 1 to 3 (' b') overlaps another": [1, 3, "X"],
}


@pytest.mark.parametrize("said", WRONG)
def test_spans_that_do_not_fit_are_listed_and_left_out(tmp_path, capsys, said):
    good = [[0, 3, "X"]] if "overlaps" in said else [[2, 3, "X"]]
    rows = [("a b", [*good, WRONG[said]])] + [("c d", [[0, 1, "X"], [2, 3, "X"]])] * 60
    found = table(tmp_path / "rows.jsonl", jsonl(*rows))
    assert json.loads(found.labels[0]) == good
    line = capsys.readouterr().err
    assert line.startswith("note: 1 of 122 spans do not fit their text and are left out: ") and said in line
    assert f"rows.jsonl:1: {said}" in refusal(tmp_path / "rows.jsonl", jsonl(rows[0], *rows[1:40]))


def test_too_many_are_refused(tmp_path):
    rows = jsonl(("a b", [[0, 9, "X"], [0, 1, "X"]]), *[("a b", [[4, 5, "Y"]])] * 5)
    said = refusal(tmp_path / "rows.jsonl", rows)
    assert said.startswith("6 of 7 spans do not fit their text, allowed is a share of 0.01 (--unmatched_share): ")
    assert said.endswith("; and 3 more") and "rows.jsonl:2: " in said
    assert table(tmp_path / "rows.jsonl", rows, unmatched_share=0.9).labels[0] == '[[0, 1, "X"]]'


def test_tags_that_continue_nothing_do_not_fit(tmp_path):
    said = refusal(tmp_path / "rows.conll", "Ada O\nLovelace I-PER\n")
    assert "rows.conll:1: 'Lovelace' has no label, or its tag continues nothing" in said
    found = table(tmp_path / "rows.conll", "Ada O\nLovelace I-PER\n", tag_scheme="IOB1")
    assert json.loads(found.labels[0]) == [[4, 12, "PER"]]


def test_labels_of_another_task(tmp_path):
    (tmp_path / "rows.conll").write_text(CONLL)
    with pytest.raises(UserError, match=r"rows.conll:1: a .conll file has words and tags, for --task=tagging"):
        read_table(tmp_path / "rows.conll")
    assert "3 tags for 7 words" not in refusal(tmp_path / "rows.jsonl", jsonl((TEXT, "positive")))
    assert "1 tags for 7 words" in refusal(tmp_path / "rows.jsonl", jsonl((TEXT, "positive")))
