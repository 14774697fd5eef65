import functools
import html.parser
import json

import pytest

from data.doctor import __main__ as doctor
from data.progress import Progress
from tests.data.doctor.asking import ask, error_line
from tests.data.plain_texts import as_csv, rows, sentences, write_folder
from trainer.config import carried_path


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "set")


def test_json_has_the_shape_that_others_read(folder):
    report = ask(folder, "--json").report
    assert list(report) == ["files", "findings", "overlaps", "lengths", "languages", "noise"]
    assert report["files"][0] == {
        "path": str(folder / "train.csv"),
        "split": "train",
        "rows": 48,
        "labels": {"calm": 24, "busy": 24},
    }
    assert {"unit", "limit", "p50", "p90", "p95", "p99", "max", "truncated", "truncated_share"} <= set(
        report["lengths"]
    )


def test_counts_go_on_when_examples_do_not(tmp_path):
    path = tmp_path / "some.csv"
    path.write_bytes(as_csv([(f"{text} &amp; more", label) for text, label in rows(230)]))
    found = ask(path, "--json").found()["html_entities"]
    assert found["count"] == 230 and len(found["examples"]) == 100


def test_both_keys_are_printed_for_each_pair_of_files(folder):
    lines = (folder / "train.csv").read_text().splitlines()
    test = (folder / "test.csv").read_text().splitlines()
    test[1], test[2], test[3] = lines[1].replace(" ", "  "), lines[2].upper(), lines[4].replace(".", " indeed.")
    (folder / "test.csv").write_text("\n".join(test) + "\n")
    answer = ask(folder, "--json")
    overlap = next(
        o for o in answer.report["overlaps"] if o["file"].endswith("test.csv") and o["in"].endswith("train.csv")
    )
    assert (overlap["exact"], overlap["near"], overlap["similar"]) == (1, 2, 1)
    table = ask(folder).out
    assert "white space collapsed" in table and "letters and digits" in table


def test_files_of_other_folders_may_have_other_columns(folder, tmp_path):
    texts = [row.rpartition(",")[0] for row in (folder / "train.csv").read_text().splitlines()[1:7]]
    others = [*texts, *sentences(30, seed=5)]
    path = tmp_path / "other" / "some.csv"
    path.parent.mkdir()
    table = [(number, text, ("calm", "busy")[number % 2]) for number, text in enumerate(others)]
    path.write_bytes(as_csv(table, ("id", "sentence, whole", "mood")))
    answer = ask(folder, path, "--text_column=text,sentence, whole", "--label_column=label,mood", "--json")
    assert answer.code == 1, "no file has a column of that name"
    assert list(answer.found("error")) == ["missing_column"]
    path.write_bytes(as_csv(table, ("id", "sentence", "mood")))
    answer = ask(folder, path, "--text_column=text,sentence", "--label_column=mood,label", "--json")
    assert answer.code == 0
    assert answer.found("warning")["overlap_exact"]["count"] == 6
    overlaps = {(o["file"], o["in"]): o["exact"] for o in answer.report["overlaps"]}
    assert overlaps[str(folder / "train.csv"), str(path)] == 6 and overlaps[str(path), str(folder)] == 6


def test_pairs_are_the_same_only_where_both_texts_are(tmp_path):
    path = tmp_path / "some.csv"
    first, second = sentences(40), sentences(40, seed=3)
    second[20] = second[1]
    table = [(a, b, ("same", "other")[n % 2]) for n, (a, b) in enumerate(zip(first, second, strict=True))]
    table += [(first[3], second[4], "same"), (first[5], second[5].upper(), "other")]
    path.write_bytes(as_csv(table, ("text", "pair", "label")))
    answer = ask(path, "--text_pair_column=pair", "--json")
    assert [(f["check"], f["count"]) for f in answer.report["findings"]] == [("duplicates_near", 1)]


def test_texts_without_labels(tmp_path):
    path = tmp_path / "some.txt"
    path.write_text("\n".join(sentences(30)))
    assert ask(path, "--label_column=", "--json").report["findings"] == []


def test_lengths_are_counted_in_tokens_of_an_encoder(tmp_path, bert_folder):
    path = tmp_path / "some.csv"
    path.write_bytes(as_csv([*rows(30), ("good bad " * 20, "calm")]))
    words = ask(path, "--json", "--sequence_length=32").report["lengths"]
    tokens = ask(path, "--json", "--sequence_length=32", f"--encoder={bert_folder}").report["lengths"]
    assert (words["unit"], words["max"], words["truncated"]) == ("words", 40, 1)
    assert (tokens["unit"], tokens["max"], tokens["truncated"]) == ("tokens", 42, 1)


class Outside(html.parser.HTMLParser):
    """Collects what a page would ask another place for."""

    def __init__(self):
        super().__init__()
        self.asked, self.tags = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        asks = ("src", "href", "xlink:href", "srcset", "data", "action")
        self.asked += [value for name, value in attributes if name in asks and not value.startswith("#")]


def test_the_page_holds_its_pictures_and_asks_for_nothing(folder):
    lines = (folder / "train.csv").read_text().splitlines()
    lines[4] = 'Say <script>alert("1")</script> 中文 $x_1$,calm'
    (folder / "train.csv").write_text("\n".join(lines) + "\n")
    page = folder / "page.html"
    assert ask(folder, f"--html={page}").code == 0
    outside = Outside()
    outside.feed(page.read_text(encoding="utf-8"))
    assert outside.asked == [] and "script" not in outside.tags and outside.tags.count("svg") >= 2
    assert "@import" not in page.read_text() and "html_tags" in page.read_text()
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_a_data_set_of_the_cache(tmp_path):
    write_folder(carried_path("some", tmp_path))
    assert ask("pip:some", f"--cache_dir={tmp_path}", "--json").report["files"][2]["rows"] == 24
    assert "run: python -m data.fetch" in error_line(ask("pip:other", f"--cache_dir={tmp_path}"))


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "no file: give files"),
        (["{folder}/trian.csv"], "no such file; did you mean {folder}/train.csv?"),
        (["{folder}/train.csv", "{folder}/train.csv"], "is given twice"),
        (["{folder}", "--colour=red"], "Unknown command line flag 'colour'"),
        (["{folder}", "--sequence_length=many"], "sequence_length"),
        (["{folder}", "--sequence_length=2"], "allowed is 4 or more"),
        (["{folder}", "--encoder={folder}"], "no encoder in {folder}"),
        (["{folder}", "--html={folder}/none/page.html"], "no folder {folder}/none"),
        (["{folder}/../empty"], "no train{{.csv,.tsv,.jsonl,"),
        (["{folder}/../notes.md"], "unknown kind of file"),
    ],
)
def test_a_mistake_is_one_line(folder, arguments, said):
    (folder.parent / "empty").mkdir()
    (folder.parent / "notes.md").write_text("# Notes\n")
    assert said.format(folder=folder) in error_line(ask(*(a.format(folder=folder) for a in arguments)))


def test_help():
    answer = ask("--help")
    assert answer.code == 0 and "--text_column" in answer.out and "usage: python -m data.doctor" in answer.out


def test_progress_goes_to_stderr(folder, monkeypatch):
    clock = iter(range(0, 10**6, 11)).__next__  # eleven seconds a look
    monkeypatch.setattr(doctor, "Progress", functools.partial(Progress, clock=clock))
    answer = ask(folder, "--json", "--noise")
    assert json.loads(answer.out)
    lines = answer.err.splitlines()
    assert lines[0].startswith(f"reading {folder / 'train.csv'}  48 rows  ")
    for what in ("hashing texts  96 of 96 rows", "comparing texts  12 of 12 bands", "judging labels"):
        assert any(line.startswith(what) for line in lines), lines


def test_shards_are_one_split(tmp_path):
    table = rows(40)
    for shard in range(2):
        part = table[shard * 20 : shard * 20 + 20] + table[:1] * shard
        (tmp_path / f"train-0000{shard}-of-00002.csv").write_bytes(as_csv(part))
    (tmp_path / "test.csv").write_bytes(as_csv(rows(50)[40:]))
    answer = ask(tmp_path, "--json")
    found = answer.found()
    assert answer.code == 0 and not any(name.startswith("leakage") or "label" in name for name in found)
    assert found["overlap_exact"]["count"] == 1
    assert found["overlap_exact"]["examples"][0]["where"].endswith("train-00001-of-00002.csv:22")


def test_labels_and_headers_that_are_no_utf8_can_be_printed(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes(as_csv(rows(40)) + "one more,café\n".encode("latin-1"))
    for asked in ((), ("--json",), (f"--html={tmp_path}/page.html",)):
        answer = ask(path, *asked)
        assert answer.code == 1 and "xe9" in answer.out.encode().decode()
    path.write_bytes("prénom,label\na,b\n".encode("latin-1"))
    assert "pr\\xe9nom" in ask(path).out.encode().decode()
