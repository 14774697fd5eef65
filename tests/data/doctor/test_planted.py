"""One fault at a time in a clean data set: each is found, in its line, and nothing is found before it is there."""

import dataclasses
import gzip
import json
import re
from collections.abc import Callable

import pytest

from tests.data.doctor.asking import ask
from tests.data.plain_texts import rows, sentences, write_folder


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "set")


@dataclasses.dataclass(frozen=True)
class Fault:
    """plant(lines of train.csv as bytes, folder) changes them in place; `where`: the `file:line` that must be named."""

    name: str
    check: str
    severity: str
    where: str
    plant: Callable


def text_of(line):
    """The text of a line of CSV that needs no quotes."""
    return line.rpartition(b",")[0]


def put(number, content):
    """Replaces the text of a line."""

    def plant(lines, folder):
        raw = content if isinstance(content, bytes) else content.encode()
        lines[number - 1] = (
            raw.replace(b"TEXT", text_of(lines[number - 1])) + b"," + lines[number - 1].rpartition(b",")[2]
        )

    return plant


def label(number, content):
    """Replaces the label of a line."""

    def plant(lines, folder):
        lines[number - 1] = text_of(lines[number - 1]) + b"," + content.encode() + b"\n"

    return plant


def whole(number, content):
    def plant(lines, folder):
        lines[number - 1] = content

    return plant


def again(number, of, change=lambda text: text, label=None):
    """Line `number` repeats the text of line `of`."""

    def plant(lines, folder):
        given = lines[of - 1].rpartition(b",")[2].decode().strip() if label is None else label
        lines[number - 1] = change(text_of(lines[of - 1])) + b"," + given.encode() + b"\n"

    return plant


def leak(split, number, change=lambda text: text):
    """Line `number` of another split repeats line 5 of train."""

    def plant(lines, folder):
        path = folder / f"{split}.csv"
        others = path.read_bytes().splitlines(keepends=True)
        others[number - 1] = change(text_of(lines[4])) + b"," + lines[4].rpartition(b",")[2]
        path.write_bytes(b"".join(others))

    return plant


def labels(change):
    """Changes the label of every row: change(line number, label)."""

    def plant(lines, folder):
        for number in range(2, len(lines) + 1):
            text, _, name = lines[number - 1].decode().rpartition(",")
            lines[number - 1] = f"{text},{change(number, name.strip())}\n".encode()

    return plant


def unseen(lines, folder):
    path = folder / "test.csv"
    others = path.read_bytes().splitlines(keepends=True)
    others[6] = text_of(others[6]) + b",bussy\n"
    path.write_bytes(b"".join(others))


def nearly(text):
    return text.replace(b".", b" indeed.")


FAULTS = [
    Fault("column", "missing_column", "error", "train.csv:1", whole(1, b"texts,label\n")),
    Fault("too many fields", "wrong_fields", "error", "train.csv:9", put(9, "TEXT,more")),
    Fault("too few fields", "wrong_fields", "error", "train.csv:9", whole(9, b"alone\n")),
    Fault("quote", "broken_csv", "error", "train.csv:49", whole(49, b'"never closed,calm\n')),
    Fault("latin-1", "broken_utf8", "error", "train.csv:7", put(7, b"TEXT caf\xe9")),
    Fault("half a character", "broken_utf8", "error", "train.csv:8", put(8, b"TEXT \xe4\xb8")),
    Fault("no label", "empty_label", "error", "train.csv:11", label(11, "")),
    Fault("blank label", "empty_label", "error", "train.csv:11", label(11, "  ")),
    Fault("nan label", "placeholder_label", "error", "train.csv:12", label(12, "NaN")),
    Fault("label in capitals", "label_spelling", "error", "train.csv:13", label(13, "Busy")),
    Fault("label with a space", "label_spaces", "warning", "train.csv:13", label(13, "busy ")),
    Fault("no text", "empty_text", "warning", "train.csv:14", put(14, "")),
    Fault("blank text", "empty_text", "warning", "train.csv:14", put(14, " \t ")),
    Fault("null text", "placeholder_text", "warning", "train.csv:14", put(14, "null")),
    Fault("header again", "header_row", "error", "train.csv:15", whole(15, b"text,label\n")),
    Fault("lost characters", "replacement_characters", "warning", "train.csv:16", put(16, "TEXT caf\ufffd")),
    Fault("mojibake", "mojibake", "warning", "train.csv:17", put(17, "TEXT schÃ¶n wie fÃ¼r")),
    Fault("tags", "html_tags", "warning", "train.csv:18", put(18, "TEXT<br/>more")),
    Fault("entities", "html_entities", "warning", "train.csv:19", put(19, "TEXT &quot;more&quot;")),
    Fault("control", "control_characters", "warning", "train.csv:20", put(20, "TEXT\x07")),
    Fault("invisible", "control_characters", "warning", "train.csv:20", put(20, "TE\u200bXT and TEXT")),
    Fault("twice", "duplicates_exact", "warning", "train.csv:22", again(22, 6)),
    Fault(
        "twice, spaced", "duplicates_exact", "warning", "train.csv:22", again(22, 6, lambda t: t.replace(b" ", b"  "))
    ),
    Fault(
        "twice, in capitals", "duplicates_near", "warning", "train.csv:22", again(22, 6, lambda t: t.upper() + b"!!")
    ),
    Fault("nearly twice", "duplicates_similar", "note", "train.csv:22", again(22, 6, nearly)),
    Fault("test in train", "leakage_exact", "error", "test.csv:4", leak("test", 4)),
    Fault("dev in train", "leakage_exact", "error", "dev.csv:4", leak("dev", 4)),
    Fault(
        "test in train, bare", "leakage_near", "error", "test.csv:4", leak("test", 4, lambda t: t.lower().rstrip(b"."))
    ),
    Fault("test nearly in train", "leakage_similar", "warning", "test.csv:4", leak("test", 4, nearly)),
    Fault("two labels", "contradictions_exact", "error", "train.csv:22", again(22, 6, label="busy")),
    Fault("two labels, near", "contradictions_near", "error", "train.csv:22", again(22, 6, bytes.upper, label="busy")),
    Fault("one class", "one_class", "error", "train.csv:2", labels(lambda number, name: "calm")),
    Fault("rare label", "rare_labels", "warning", "train.csv:30", label(30, "lively")),
    Fault(
        "imbalance", "imbalance", "warning", "train.csv:2", labels(lambda n, name: "busy" if n in (3, 9) else "calm")
    ),
    Fault("unseen label", "unseen_label", "error", "test.csv:7", unseen),
    Fault("too long", "truncated", "note", "train.csv:25", put(25, " ".join(sentences(14, seed=9)))),
    Fault(
        "another language",
        "other_language",
        "warning",
        "train.csv:26",
        put(26, "Der alte Lehrer trug einen schweren Koffer über die Brücke und wartete auf den nächsten Zug"),
    ),
    Fault("mail", "personal_mail", "warning", "train.csv:27", put(27, "TEXT Write to jane.roe@example.org please")),
    Fault("phone", "personal_phone", "warning", "train.csv:27", put(27, "TEXT Call +49 171 1234567 please")),
    Fault("card", "personal_card", "warning", "train.csv:27", put(27, "TEXT 4111 1111 1111 1111")),
    Fault("social security", "personal_us_ssn", "warning", "train.csv:27", put(27, "TEXT 536-90-4399")),
    Fault("iban", "personal_iban", "warning", "train.csv:27", put(27, "TEXT GB82 WEST 1234 5698 7654 32")),
    Fault("resident number", "personal_cn_id", "warning", "train.csv:27", put(27, "TEXT 11010519491231002X")),
]


def test_nothing_is_found_where_nothing_is_wrong(folder):
    answer = ask(folder, "--json", "--noise")
    assert answer.code == 0
    assert answer.found("error", "warning") == {}
    assert [file["rows"] for file in answer.report["files"]] == [48, 24, 24]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found_in_its_line(fault, folder):
    lines = (folder / "train.csv").read_bytes().splitlines(keepends=True)
    fault.plant(lines, folder)
    (folder / "train.csv").write_bytes(b"".join(lines))
    answer = ask(folder, "--json")
    found = answer.found()[fault.check]
    assert found["severity"] == fault.severity
    assert str(folder / fault.where) in [example["where"] for example in found["examples"]], found
    assert answer.code == (1 if answer.found("error") else 0)
    if fault.severity == "error":
        assert answer.code == 1


def test_there_are_enough_kinds():
    assert len({fault.check for fault in FAULTS}) >= 20


@pytest.mark.parametrize(
    "line, check",
    [
        (b'{"text": "broken\n', "broken_json"),
        (b'["a", "b"]\n', "broken_json"),
        (b'{"text": null, "label": "calm"}\n', "not_a_string"),
        (b'{"txt": "a", "label": "calm"}\n', "missing_column"),
    ],
)
def test_faults_of_jsonl(tmp_path, line, check):
    lines = [json.dumps({"text": text, "label": name}).encode() + b"\n" for text, name in rows(30)]
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"".join([*lines[:9], line, *lines[9:]]))
    answer = ask(path, "--json")
    assert answer.code == 1 and list(answer.found("error", "warning")) == [check]
    (found,) = answer.found("error").values()
    assert found["count"] == 1 and [example["where"] for example in found["examples"]] == [f"{path}:10"]
    assert answer.report["files"][0]["rows"] == 30


def test_a_torn_gz_is_read_as_far_as_it_goes(tmp_path):
    path = tmp_path / "a {set}" / "some.tsv.gz"
    path.parent.mkdir()
    content = "text\tlabel\n" + "".join(f"{text}\t{name}\n" for text, name in rows(400))
    packed = gzip.compress(content.encode())
    path.write_bytes(packed[: len(packed) // 2])
    answer = ask(path, "--json")
    assert answer.code == 1 and "not a whole gzip file" in answer.found("error")["unreadable"]["message"]
    assert 100 < answer.report["files"][0]["rows"] < 400


def test_a_file_without_rows(tmp_path):
    path = tmp_path / "some.csv"
    path.write_text("text,label\n")
    answer = ask(path, "--json")
    assert answer.code == 1 and list(answer.found()) == ["no_rows"]


def test_personal_data_is_never_printed_whole(folder):
    secrets = ("jane.roe@example.org", "4111 1111 1111 1111", "536-90-4399", "11010519491231002X", "171 1234567")
    content = (folder / "train.csv").read_text().splitlines()
    # twice, so that other findings show the same row
    content[10] = content[20] = (
        f"Ask {secrets[0]} or {secrets[1]} or {secrets[2]} {secrets[3]} or +49 {secrets[4]},calm"
    )
    (folder / "train.csv").write_text("\n".join(content) + "\n")
    page = folder / "page.html"
    answers = [ask(folder, "--json", f"--html={page}"), ask(folder)]
    assert "duplicates_exact" in answers[0].found() and answers[0].found()["personal_mail"]["count"] == 2
    for said in (answers[0].out, answers[1].out, page.read_text()):
        assert not [secret for secret in secrets if secret in said]
        assert re.search(r"j•••@•••\.org", said)
