"""benchmarks.chinese: rows that share no held-out text, and the whole of it over tiny ones."""

import gzip
import json
import subprocess
import sys

import pytest

from benchmarks import chinese_rows
from tests.commands import ROOT
from trainer.config import carried_path

TRAIN = [("1", "酒店很好。"), ("1", "酒店，很好！"), ("0", "太吵 a"), ("0", "太吵 b"), ("1", "书不错")]
DEV, TEST = [("1", "书不错！"), ("0", "电脑太慢")], [("0", "太吵 B"), ("1", "早餐丰富")]


def write_sets(folder, many=1):
    """The two labelled sets as they are given out; `many`: how often each training text stands there, with a number."""
    train = [(label, f"{text}{i or ''}") for i in range(many) for label, text in TRAIN]
    for split, rows in (("train", train), ("dev", DEV), ("test", TEST)):
        with gzip.open(folder / f"{split}.tsv.gz", "wt", encoding="utf-8") as file:
            file.write("label\ttext_a\n" + "".join(f"{label}\t{text}\n" for label, text in rows))
    label = {"name": {"张三": [[0, 1]]}, "address": {"北京": [[3, 4]]}}
    for split, count in (("train", 3 * many), ("dev", 1)):
        rows = ({"text": f"张三在北京{i or ''}", "label": label} for i in range(count))
        with gzip.open(folder / f"{split}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return folder


def test_no_text_stands_twice_or_on_two_sides(tmp_path):
    rows = chinese_rows.chnsenticorp(write_sets(tmp_path))
    assert [row["text"] for row in rows["test"]] == ["太吵 B", "早餐丰富"]
    assert [row["text"] for row in rows["dev"]] == ["书不错！", "电脑太慢"]
    assert rows["train"] == [{"text": "酒店很好。", "label": "1"}, {"text": "太吵 a", "label": "0"}]


def test_spans_end_behind_their_last_character(tmp_path):
    rows = chinese_rows.cluener(write_sets(tmp_path))
    assert rows["test"] == [{"text": "张三在北京", "spans": [[0, 2, "name"], [3, 5, "address"]]}]
    assert len(rows["train"]) == 3


def test_held_out_texts_are_not_pre_trained_on():
    class Table:
        texts = ["早餐 丰富…", "新的\t评论", "新的评论", "书不错"]

    held_out = [{"text": "早餐丰富"}, {"text": "书，不错"}]
    assert chinese_rows.unlabelled([Table], held_out) == ["新的 评论"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_both_sides_are_told_of_every_set(tmp_path, monkeypatch):
    reviews = carried_path("chinese-reviews", tmp_path / "cache")
    reviews.mkdir(parents=True)
    lines = "".join(f"{text}{i}\t{label}\n" for i in range(20) for label, text in TRAIN)
    (reviews / "train.tsv").write_text("text\tlabel\n" + lines, "utf-8")
    (tmp_path / "sets").mkdir()
    sets = write_sets(tmp_path / "sets", many=20)
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "cache"))
    command = [sys.executable, "-m", "benchmarks.chinese", f"--chnsenticorp_dir={sets}", f"--cluener_dir={sets}"]
    command += [f"--workdir={tmp_path}/run", f"--output={tmp_path}/out", "--layers=1", "--hidden=64", "--size=100"]
    command += ["--epochs=1", "--pretraining_epochs=1", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["figures"]
    assert set(found["fine_tuned"]) == {"chnsenticorp", "cluener"} and found["pretraining"]["perplexity"] > 1
    assert all(len(figures) == 1 for each in found["fine_tuned"].values() for figures in each.values())
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert json.loads(again.stdout)["figures"] == found, "the same command must find its runs again"
