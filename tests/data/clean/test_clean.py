"""What is not asked for stays byte for byte; what is changed is logged."""

import contextlib
import gzip
import io
import json

import pytest

from data.clean import __main__ as clean
from tests.data.plain_texts import as_csv, rows

CSV = (
    "id,text,label\r\n"
    '1,"a, b",X\r\n'
    "2,café &amp; <b>tea</b>,x\r\n"
    "3,na\udcefve  text,X \r\n"
    "4,too,many,fields\r\n"
    '5,"a,  b",y\r\n'
    "6,schÃ¶n\x07,X\r\n"
    "\r\n"
    '7,"last\nline",X\r\n'
    "8,A B,X\r\n"
    "9,,X\r\n"
    "10,lost \ufffd,\r\n"
).encode("utf-8", "surrogateescape")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(CSV)
    return path


def run(path, *arguments, output=None):
    out, err = io.StringIO(), io.StringIO()
    output = output or path.with_name("out" + path.name[2:])
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = clean.main([str(path), f"--output={output}", "--json", *map(str, arguments)])
    assert code == 0, err.getvalue()
    log = [json.loads(line) for line in output.with_name(output.name + ".changes.jsonl").read_text().splitlines()]
    return json.loads(out.getvalue()), output.read_bytes(), log


def refused(*arguments):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = clean.main([str(argument) for argument in arguments])
    assert code == 2 and out.getvalue() == "" and len(err.getvalue().splitlines()) == 1
    return err.getvalue()


@pytest.mark.parametrize(
    "flag, before, after, line",
    [
        ("--fix=encoding", b"na\xefve  text,X ", "naïve  text,X ".encode(), 4),
        ("--fix=html", "café &amp; <b>tea</b>".encode(), "café & tea".encode(), 3),
        ("--fix=mojibake", "schÃ¶n".encode(), "schön".encode(), 7),
        ("--fix=control", b"\x07", b"", 7),
        ("--drop=malformed", b"4,too,many,fields\r\n", b"", 5),
        ("--drop=empty", b"9,,X\r\n", b"", 12),
        ("--drop=unlabelled", "10,lost \ufffd,\r\n".encode(), b"", 13),
        ("--drop=replacement", "10,lost \ufffd,\r\n".encode(), b"", 13),
        ("--drop=duplicates", b'5,"a,  b",y\r\n', b"", 6),
    ],
)
def test_one_thing_is_changed_and_all_else_is_as_it_was(path, flag, before, after, line):
    result, content, log = run(path, flag)
    assert content == CSV.replace(before, after, 1)
    assert [entry["line"] for entry in log] == [line]
    assert result["rows"] == 10 and result["unreadable"] == 1


def test_near_duplicates_and_contradictions(path):
    _, content, log = run(path, "--drop=near_duplicates")
    assert [entry["line"] for entry in log] == [6, 11] and b"1," in content
    path.with_name("out.csv").unlink()
    path.with_name("out.csv.changes.jsonl").unlink()
    result, content, log = run(path, "--drop=contradictions")
    assert result["dropped"] == {"contradictions": 3} and [entry["line"] for entry in log] == [2, 6, 11]
    assert log[0] == {
        "line": 2,
        "what": "drop:contradictions",
        "column": None,
        "before": '1,"a, b",X\r\n',
        "after": None,
    }


def test_labels_are_written_as_most_rows_write_them(path):
    _, content, log = run(path, "--fix=labels")
    assert [(e["line"], e["before"], e["after"]) for e in log] == [(3, "x", "X"), (4, "X ", "X")]
    assert b"na\xefve  text,X\r\n" in content


def test_white_space(path):
    _, content, log = run(path, "--fix=whitespace")
    assert [(e["line"], e["column"]) for e in log] == [(4, "text"), (6, "text"), (9, "text")]
    assert b"7,last line,X\r\n" in content and b'5,"a, b",y\r\n' in content


def test_repairs_come_before_drops(path):
    result, _, _ = run(path, "--fix=whitespace,html", "--drop=duplicates")
    assert result["dropped"] == {"duplicates": 1}


def test_texts_of_another_file_are_left_out(path):
    test = path.with_name("test.jsonl")
    test.write_text(json.dumps({"sentence": "Last line!", "label": "X"}) + "\n")
    result, content, log = run(path, f"--leaked_from={test}", "--text_column=text,sentence")
    assert result["dropped"] == {"leaked": 1} and log[0]["line"] == 9 and b"last" not in content


def test_tsv_cells_hold_no_tabs(tmp_path):
    path = tmp_path / "in.tsv.gz"
    path.write_bytes(gzip.compress(b'text\tid\tlabel\na&#9;b "c\t1\tX\nd\t2\tX\n'))
    _, content, _ = run(path, "--fix=html")
    assert gzip.decompress(content) == b'text\tid\tlabel\na b "c\t1\tX\nd\t2\tX\n'


def test_jsonl_keeps_other_keys_and_their_types(tmp_path):
    path = tmp_path / "in.jsonl"
    lines = [
        '{"id": 7, "text": "a &amp; b", "label": 1, "more": [1.5, null, true]}',
        '{"text": "c",   "label": 2}',
        "broken",
        '{"label": 2}',
    ]
    path.write_text("\n".join(lines))
    result, content, _ = run(path, "--fix=html")
    changed = lines[0].replace("&amp;", "&")
    assert content.decode() == "\n".join([changed, *lines[1:]]) and result["unreadable"] == 2


def test_nothing_is_left_behind_by_a_failure(path, monkeypatch):
    monkeypatch.setattr("data.clean.cleaning.written", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        clean.main([str(path), f"--output={path.with_name('out.csv')}", "--fix=html"])
    assert [file.name for file in path.parent.iterdir()] == ["in.csv"] and path.read_bytes() == CSV


def test_what_was_cleaned_is_clean(tmp_path):
    from tests.data.doctor.asking import ask

    path = tmp_path / "in.csv"
    table = rows(60)
    table += [(table[0][0].upper(), "calm"), (table[3][0] + " &amp; <i>x</i>\x07 fÃ¼r", "Busy"), ("", "calm")]
    path.write_bytes(as_csv(table))
    assert ask(path, "--json").code == 1
    run(path, "--fix=mojibake,html,control,labels", "--drop=empty,near_duplicates")
    assert ask(tmp_path / "out.csv", "--json").found("error", "warning") == {}


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "0 files; give one"),
        (["{path}"], "--output is empty"),
        (["{path}", "--output={folder}/out.csv"], "nothing to do"),
        (["{path}", "--output={folder}/out.csv", "--fix=htlm"], "did you mean html?"),
        (["{path}", "--output={folder}/out.csv", "--drop=all"], "allowed are malformed, empty"),
        (["{path}", "--output={path}", "--fix=html"], "is there already"),
        (["{path}", "--output={folder}/out.tsv", "--fix=html"], "a name that ends in .csv"),
        (["{folder}/none.csv", "--output={folder}/out.csv", "--fix=html"], "no such file"),
        (["{path}", "--output={folder}/no/out.csv", "--fix=html"], "no folder {folder}/no"),
        (["{path}", "--output={folder}/out.csv", "--fix=html", "--text_column=txt"], "did you mean 'text'?"),
        (["{path}", "--output={folder}/out.csv", "--fix=encoding", "--encoding=klingon"], "unknown; e.g. cp1252"),
        (["{path}", "--output={folder}/out.csv", "--leaked_from={folder}/none.csv"], "no such file"),
        (["{path}", "--output={folder}/out.csv", "--fix=labels", "--label_column="], "--label_column is empty"),
    ],
)
def test_a_mistake_is_one_line(path, arguments, said):
    values = {"path": path, "folder": path.parent}
    assert said.format(**values) in refused(*(argument.format(**values) for argument in arguments))
    assert [file.name for file in path.parent.iterdir()] == ["in.csv"]


def test_help_names_every_repair():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert clean.main(["--help"]) == 0
    assert all(name in out.getvalue() for name in ("mojibake", "near_duplicates", "--leaked_from"))


def test_a_byte_order_mark_and_blank_lines_stay(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes("\ufefftext,label\n\na &amp; b,x\n\nc,y\n\n\n".encode())
    assert run(path, "--fix=html", "--drop=empty")[1] == "\ufefftext,label\n\na & b,x\n\nc,y\n\n\n".encode()
    dropped = run(path, "--drop=contradictions,duplicates", output=tmp_path / "again.csv")[1]
    assert dropped == path.read_bytes()


def test_a_last_row_without_a_line_end_keeps_its_line_breaks_quoted(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(b'text,label\r\n"a &lt;\nb",x')
    assert run(path, "--fix=html")[1] == b'text,label\r\n"a <\nb",x'


def test_what_is_not_changed_in_a_jsonl_row_stays_as_it_is_written(tmp_path):
    path = tmp_path / "in.jsonl"
    line = '{ "n": {"x" :[1.50, 1e400]},"text": "%s" ,"label":1.0, "text2": "&amp;", "half":"\\ud83d", "n2": 1.10}\n'
    path.write_text(line % "a &amp; b" + line % "a")
    _, raw, log = run(path, "--fix=html")
    assert raw.decode() == line % "a & b" + line % "a" and len(log) == 1


def test_a_repaired_label_that_was_a_number_is_one(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a", "label": 1}\n' * 3 + '{"text": "b", "label": 1.0}\n{"text": "c", "label": "1.0"}\n')
    _, raw, _ = run(path, "--fix=labels")
    labels = [json.loads(line)["label"] for line in raw.splitlines()]
    assert labels == [1, 1, 1, 1, "1"] and type(labels[3]) is int


def test_of_a_repeated_key_the_last_counts(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "&amp;", "label": "x", "text": "b &amp; c"}\n')
    assert run(path, "--fix=html")[1] == b'{"text": "&amp;", "label": "x", "text": "b & c"}\n'


def test_a_row_without_label_and_text_is_unlabelled_too(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(b"text,label\na,b\n,\n,c\n")
    assert run(path, "--drop=unlabelled")[1] == b"text,label\na,b\n,c\n"


def test_a_codec_that_is_not_of_text_and_a_missing_folder_are_said_at_once(path, tmp_path):
    out = f"--output={tmp_path}/out.csv"
    for name in ("rot13", "hex", "nosuch"):
        assert f"--encoding={name}: unknown" in refused(path, out, "--fix=encoding", f"--encoding={name}")
    assert "no folder" in refused(path, f"--output={tmp_path}/no/out.csv", "--fix=html")


def test_an_unlabelled_row_contradicts_nothing(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(b"text,label\na,b\na,\nc,d\n")
    assert run(path, "--drop=unlabelled,contradictions")[1] == b"text,label\na,b\nc,d\n"


def test_a_missing_column_and_a_cut_gz_are_said(path, tmp_path):
    other = tmp_path / "leak.csv"
    other.write_text("sentence,label\na,b\n")
    out = f"--output={tmp_path}/out.csv"
    assert f"--leaked_from: {other}:1: no column 'text'" in refused(path, out, f"--leaked_from={other}")
    lines = tmp_path / "in.jsonl"
    lines.write_text('{"txt": "a", "label": "b"}\n')
    assert "not one row could be read" in refused(lines, f"--output={tmp_path}/out.jsonl", "--drop=malformed")
    packed = tmp_path / "in.csv.gz"
    packed.write_bytes(gzip.compress(CSV)[:-12])
    assert "not a whole gzip file" in refused(packed, f"--output={tmp_path}/out.csv.gz", "--fix=html")
    assert not list(tmp_path.glob("*out*"))
