"""Sources: the same rows from every format, and one line with file:line for every file that cannot be read."""

import csv
import gzip
import io
import json

import pytest

from trainer.config import UserError
from trainer.inputs.columns import kind_of, nearest
from trainer.inputs.readers import Fault
from trainer.inputs.sources import read_chunks, read_rows, read_table

ROWS = [
    ("plain", "good"),
    ("", "good"),
    ("  kept  as it is ", "bad"),
    ('he said "no", then left', "bad"),
    ("“Ünïcode” 中文 🙂 \u2028 \x85", "gut"),
    ("nul \x00 inside", "bad"),
    ("x" * 200_000, "long"),
]


def as_csv(rows):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("text", "label"), *rows])
    return out.getvalue()


def as_tsv(rows):
    return "".join(f"{text}\t{label}\n" for text, label in [("text", "label"), *rows])


def as_jsonl(rows):
    return "".join(json.dumps({"label": label, "text": text}, ensure_ascii=False) + "\n" for text, label in rows)


WRITERS = {".csv": as_csv, ".tsv": as_tsv, ".jsonl": as_jsonl}


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def save(name, content):
        raw = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return name

    return save


def refusal(*arguments, **options):
    with pytest.raises(UserError) as caught:
        read_table(*arguments, **options)
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("kind", WRITERS)
def test_the_same_rows_from_every_format(write, kind, packed, mark):
    table = read_table(write("rows" + kind + packed, mark + WRITERS[kind](ROWS)))
    assert list(zip(table.texts, table.labels, strict=True)) == ROWS
    assert table.pairs is None and len(table) == len(ROWS)
    first = 1 if kind == ".jsonl" else 2
    assert table.lines.tolist() == list(range(first, first + len(ROWS)))


@pytest.mark.parametrize("kind", WRITERS)
def test_windows_line_ends_blank_lines_and_no_last_line_end(write, kind):
    content = WRITERS[kind](ROWS[:1] * 2).replace("\r\n", "\n").replace("\n", "\r\n\r\n").rstrip()
    table = read_table(write("rows" + kind, content))
    assert table.texts == ["plain"] * 2 and table.labels == ["good"] * 2
    assert table.lines.tolist() == ([1, 3] if kind == ".jsonl" else [3, 5])


def test_csv_fields_over_several_lines_keep_their_breaks_and_line_numbers(write):
    table = read_table(write("a.csv", 'text,label\n"one\ntwo\r\n\nfour\rx",a\nnext,b\n\n"l\n",a\nlast,b'))
    assert table.texts == ["one\ntwo\r\n\nfour\rx", "next", "l\n", "last"]
    assert table.lines.tolist() == [2, 6, 8, 10]
    assert table.where(1) == "a.csv:6"


@pytest.mark.parametrize("kind, mark", [(".csv", ","), (".tsv", "\t")])
def test_a_lone_carriage_return_belongs_to_the_text(write, kind, mark):
    table = read_table(write("a" + kind, f"text{mark}label\na\rb{mark}x\r\nc{mark}y\r\n"))
    assert table.texts == ["a\rb", "c"] and table.labels == ["x", "y"] and table.lines.tolist() == [2, 3]
    assert "b" + kind + ":1: the lines end in CR alone" in refusal(write("b" + kind, f"text{mark}label\ra{mark}x\r"))


def test_tsv_knows_no_quotes(write):
    table = read_table(write("a.tsv", 'id\ttext\tlabel\n1\t"open\tx\n2\t"a" and "b"\tx\n3\t""\ty\n'))
    assert table.texts == ['"open', '"a" and "b"', '""']


def test_columns_are_picked_by_name_and_pairs_are_read(write):
    table = read_table(
        write("a.tsv", "Quality\t#1 String\t#2 String\n1\tone\ttwo\n"), "#1 String", "#2 String", "Quality"
    )
    assert (table.texts, table.pairs, table.labels) == (["one"], ["two"], ["1"])


def test_json_numbers_and_booleans_become_the_text_they_were_written_as(write):
    values = ["1", "1.0", "1e3", "-0.50", "true", "false", "12345678901234567890123", '" padded "']
    table = read_table(write("a.jsonl", "".join(f'{{"text": 5, "label": {value}}}\n' for value in values)))
    assert table.labels == [*values[:-1], "padded"] and set(table.texts) == {"5"}


def test_half_a_surrogate_pair_becomes_the_replacement_character(write):
    table = read_table(write("a.jsonl", r'{"text": "a\ud83d b \ud83d\ude00", "label": "x"}'))
    assert table.texts == ["a\ufffd b 😀"]


def test_labels_are_stripped_and_texts_are_not(write):
    table = read_table(write("a.csv", "text,label\n a , good \n"))
    assert table.texts == [" a "] and table.labels == ["good"]


def test_without_labels_the_column_need_not_be_there(write):
    assert read_table(write("a.csv", "text\nhello\n"), need_labels=False).labels is None
    assert read_table(write("b.csv", "text,label\nhello,\n"), need_labels=False).labels is None


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_a_txt_file_has_a_text_per_line_empty_ones_too(write, name):
    table = read_table(write(name, "one\r\n\n  two\t\u2028x\n\nend\n"), need_labels=False)
    assert table.texts == ["one", "", "  two\t\u2028x", "", "end"] and table.lines.tolist() == [1, 2, 3, 4, 5]
    assert "only texts" in refusal(name)
    assert "only texts" in refusal(name, pair_column="other", need_labels=False)


def test_take_keeps_lines_with_their_rows(write):
    table = read_table(write("a.csv", as_csv(ROWS))).take([2, 0])
    assert table.texts == [ROWS[2][0], "plain"] and table.labels == ["bad", "good"]
    assert [table.where(row) for row in range(2)] == ["a.csv:4", "a.csv:2"]
    assert len(table.take([])) == 0


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("a.csv", "", "a.csv: is empty"),
        ("a.jsonl", " \n\n", "a.jsonl: is empty"),
        ("a.tsv.gz", "", "a.tsv.gz: is empty"),
        ("a.csv", "\ufeff", "a.csv: is empty"),
        ("a.csv", "text,label\n", "a.csv: holds no rows"),
        ("a.tsv", "text\tlabel\n\n", "a.tsv: holds no rows"),
        (
            "a.csv",
            "Text,sentiment,label\na,b,c\n",
            "a.csv:1: no column 'text'; did you mean 'Text'? (columns: 'Text', ",
        ),
        ("a.csv", "text,lable\na,b\n", "no column 'label'; did you mean 'lable'? (columns: 'text', 'lable')"),
        ("a.jsonl", '{"text": "a", "label": "b"}\n{"txt": "a"}\n', "a.jsonl:2: no column 'text'; did you mean 'txt'?"),
        ("a.csv", "text;label\na;b\n", "no column 'text'; the columns seem to be separated by something else"),
        ("a.csv", "text,text,label\na,b,c\n", "a.csv:1: two columns are called 'text'"),
        ("a.csv", 'text,label\n"x\ny",b\na\n', "a.csv:4: too few fields: 1 where the header has 2; a text with commas"),
        ("a.csv", "text,label\na,b,c\n", "a.csv:2: too many fields: 3 where the header has 2"),
        (
            "a.tsv",
            "text\tlabel\na\tb\n\na\tb\tc\n",
            "a.tsv:4: too many fields: 3 where the header has 2; TSV has no quo",
        ),
        (
            "a.csv",
            'text,label\na,b\n"open,b\nc,d\n',
            "a.csv:3: not CSV (RFC 4180) in the row that begins here: a quote",
        ),
        ("a.csv", 'text,label\n"a"x,b\n', "a.csv:2: not CSV"),
        ("a.jsonl", '{"text": "a", "label": "b"}\n\n{"text": \n', "a.jsonl:3: not JSON at character"),
        ("a.jsonl", "[" * 100_000 + "\n", "a.jsonl:1: not JSON that can be read: nested"),
        ("a.jsonl", '["a", "b"]\n', 'a.jsonl:1: not a JSON object; every line must be {"text": …}'),
        ("a.jsonl", '{"text": null, "label": "b"}\n', "a.jsonl:1: column 'text' is null"),
        ("a.jsonl", '{"text": "a", "label": NaN}\n', "a.jsonl:1: column 'label' is null"),
        ("a.jsonl", '{"text": "a", "label": ["b"]}\n', "a.jsonl:1: column 'label' is an array"),
        ("a.csv", "text,label\na,b\nc, \n", "a.csv:3: the label is empty"),
        ("a.tsv", "text\tlabel\na\t\n", "a.tsv:2: the label is empty"),
        ("a.csv", b"text,label\na,b\ncaf\xe9,b\n", "a.csv:3: not UTF-8; save the file as UTF-8"),
        ("a.csv", "text,label\na,b\n".encode("utf-16"), "a.csv:1: not UTF-8"),
        ("a.tsv.gz", b"text\tlabel\n\n\xff\tb\n", "a.tsv.gz:3: not UTF-8"),
        ("a.jsonl", b'{"text": "' + b"x" * 70_000 + b'", "label": "b"}\n{"text": "\xe9"}', "a.jsonl:2: not UTF-8"),
        ("a.xlsx", "x", "a.xlsx: unknown kind of file; allowed are .csv, .tsv, .jsonl, .txt, .conll, .json ("),
        ("a.json", "[]", "a.json:1: no column 'text'; did you mean 'context'? (columns: 'question', 'con"),
    ],
)
def test_one_line_for_every_file_that_cannot_be_read(write, name, content, said):
    assert said in refusal(write(name, content))


def test_missing_files_folders_and_broken_gzip(write, tmp_path):
    write("train.csv", "text,label\na,b\n")
    assert "trian.csv: no such file; did you mean train.csv?" in refusal("trian.csv")
    assert "no such file, nor a folder nowhere" in refusal("nowhere/a.csv")
    assert "this is a folder" in refusal(tmp_path)
    (tmp_path / "plain.csv.gz").write_bytes(b"text,label\na,b\n")
    assert "not a whole gzip file" in refusal("plain.csv.gz")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(as_csv(ROWS).encode())[:-20])
    assert "not a whole gzip file" in refusal("cut.csv.gz")
    assert refusal("x" * 300 + ".csv")


def test_many_long_columns_make_one_short_line(write):
    header = ",".join(f"{'c' * 100}{number}" for number in range(100))
    assert len(refusal(write("a.csv", header + "\n"))) < 1500


def test_kinds_and_nearest():
    assert [kind_of(name) for name in ("A.CSV", "b.tsv.GZ", "c.jsonl", "d.txt", "e.xlsx", "csv")] == [
        ".csv", ".tsv", ".jsonl", ".txt", "", ""
    ]  # fmt: skip
    assert {kind_of(name) for name in ("a.TFRecord", "a.tfrecord.gz", "a.tfrecord-00001-of-00002")} == {".tfrecord"}
    assert [kind_of(name) for name in ("a-00001-of-00002.parquet", "a.parquet.csv")] == [".parquet", ".csv"]
    assert nearest("TEXT", ["label", "text"]) == "text" and nearest("zzz", ["text"]) is None
    assert nearest("x", []) is None


SPOILT = {
    "a.csv": 'text,label\nok,x\nonly one\n"he" said,x\nlast,y\n"open,z\n',
    "a.tsv": "text\tlabel\nok\tx\nonly one\n\ta\tb\nlast\ty\n",
    "a.jsonl": '{"text": "ok", "label": "x"}\n{"text": \n{"txt": "", "label": "x"}\n{"text": null, "label": "x"}\n'
    '{"text": "last", "label": "y"}\n',
}
FOUND = {
    "a.csv": [(3, "fields"), (4, "csv"), (6, "csv")],
    "a.tsv": [(3, "fields"), (4, "fields")],
    "a.jsonl": [(2, "json"), (3, "columns"), (4, "value")],
}


@pytest.mark.parametrize("name", SPOILT)
def test_faults_are_told_and_reading_goes_on(write, name):
    faults = []
    rows = list(read_rows(write(name, SPOILT[name]), ["text", "label"], faults.append))
    assert [cells for _, cells in rows] == [["ok", "x"], ["last", "y"]]
    assert [(fault.line, fault.kind) for fault in faults] == FOUND[name]
    refused = refusal(name)
    assert refused == f"{name}:{faults[0].line}: {faults[0].message}"


@pytest.mark.parametrize("kind", WRITERS)
def test_bytes_that_are_not_utf8_are_told_and_come_as_they_are(write, kind):
    content = WRITERS[kind]([("qq", "x"), ("ww", "y")]).encode().replace(b"qq", b"a\xff").replace(b"ww", "é".encode())
    faults = []
    rows = list(read_rows(write("a" + kind, content), ["text"], faults.append))
    assert rows[1][1] == ["é"] and len(rows) == 2
    assert faults == [Fault(rows[0][0], "encoding", "not UTF-8; save the file as UTF-8")]
    if kind != ".jsonl":
        assert rows[0][1][0].encode("utf-8", "surrogateescape") == b"a\xff"


def test_a_column_that_is_missing_is_one_fault(write):
    faults = []
    assert list(read_rows(write("a.csv", "texts,label\na,x\nb,y\n"), ["text", "label"], faults.append)) == []
    assert [(f.line, f.kind) for f in faults] == [(1, "columns")] and "did you mean 'texts'?" in faults[0].message


def test_chunks_are_the_table_cut_in_pieces(write):
    name = write("a.csv", as_csv(ROWS))
    chunks = list(read_chunks(name, size=3))
    assert [len(chunk) for chunk in chunks] == [3, 3, 1]
    assert [text for chunk in chunks for text in chunk.texts] == read_table(name).texts
    assert [chunk.where(0) for chunk in chunks] == ["a.csv:2", "a.csv:5", "a.csv:8"]
