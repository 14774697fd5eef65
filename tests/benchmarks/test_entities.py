"""benchmarks.entities over a tiny run: every entity lies where it says, and what is counted is counted."""

import gzip
import json
import subprocess
import sys

import pytest

from tests import task_walks, tiny_reviews
from tests.commands import ROOT, main_process

LEARN = ("--task=tagging", "--label_column=spans", "--sequence_length=16", "--window_overlap=4", "--batch_size=8")
LEARN += ("--epochs=4", "--learning_rate=1e-2", "--device=cpu", "--precision=float32", "--proof_texts=8")
CODE = "import json, sys; from benchmarks import entities as e; print(json.dumps(e.compared(*json.loads(sys.argv[1]))))"


def run(*command):
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)


def entity(start, end, text, score=0.5):
    return {"start": start, "end": end, "label": "X", "text": text, "score": score}


def test_places_answers_and_scores_are_counted():
    texts = ["a film", "the 😀 plot", "why"]
    answers = [[entity(0, 1, "a")], [entity(4, 5, "😀"), entity(5, 9, "plot")], []]
    expected = [[entity(0, 1, "a", 0.25)], [entity(4, 5, "😀")], []]
    done = run("-c", CODE, json.dumps([texts, answers, expected]))
    assert done.returncode == 0, done.stderr
    found = {"texts": 3, "entities": 3, "lie_there": 2, "other_answers": 1, "score_difference": 0.25}
    assert json.loads(done.stdout) == found


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_entity_lies_where_a_served_version_says(bert_folder, tmp_path):
    for name, count in (("train", 240), ("dev", 16), ("test", 16)):
        tiny_reviews.write(tmp_path / f"data/{name}.jsonl", task_walks.tagged(count, len(name)), ("text", "spans"))
    flags = (f"--data={tmp_path / 'data'}", f"--encoder={bert_folder}", f"--workdir={tmp_path / 'run'}", *LEARN)
    done = main_process(*flags)
    assert done.code == 0, done.err
    words = "".join(f"{word} X O O\n" for word in "a film , good and bad".split())
    (tmp_path / "words.txt.gz").write_bytes(gzip.compress(words.encode()))

    files = f"--files={tmp_path / 'words.txt.gz'},{tmp_path / 'data/test.jsonl'}"
    told = ("-m", "benchmarks.entities", f"--workdir={tmp_path / 'run'}", files, "--mixed=40")
    done = run(*told, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [each["texts"] for each in found.values()] == [1, 16, 40]
    assert list(found)[1:] == ["data/test.jsonl", "mixed texts"]
    for each in found.values():
        assert each["lie_there"] == each["entities"] and each["other_answers"] == 0
        assert each["score_difference"] < 1e-5 and each["texts_per_second"] > 0
    assert found["data/test.jsonl"]["entities"] > 16


@pytest.mark.parametrize(
    "contract, given, said",
    [
        (None, [], "has no proven version; run trainer.main with --mode=export"),
        ("classification", [], "the version is of --task=classification; give one of --task=tagging"),
        ("tagging", ["--files=/not/there.txt"], "--files: /not/there.txt is not there"),
        ("tagging", ["--mixed=0"], "--mixed=0 and no --files: there is nothing to ask"),
        ("tagging", ["--files=ROWS.tsv"], "ROWS.tsv has no texts in a column 'text'; give --text_column"),
    ],
)
def test_a_mistake_is_one_line(contract, given, said, tmp_path):
    if contract:
        (tmp_path / "contract.json").write_text(json.dumps({"task": contract}))
        (tmp_path / "results.json").write_text(json.dumps({"export": {"version_dir": str(tmp_path)}}))
    (tmp_path / "ROWS.tsv").write_text("sentence\nwhy\n")
    given = [each.replace("=ROWS", f"={tmp_path}/ROWS") for each in given]
    done = run("-m", "benchmarks.entities", f"--workdir={tmp_path}", *given)
    assert done.returncode == 2 and done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: ") and last.endswith(said)
