"""benchmarks.faq: a question's wordings are on one side, and the whole of it over a tiny FAQ."""

import json
import subprocess
import sys

import pytest

from tests.commands import ROOT
from tests.task_walks import SCORES

CODE = "import json, sys; from benchmarks import faq; print(json.dumps(faq.split(json.loads(sys.argv[1]))))"


def test_wordings_of_a_question_are_in_one_part():
    wordings = [[f"question {number}", f"wording {number} {other}"] for number in range(12) for other in range(2)]
    done = subprocess.run([sys.executable, "-c", CODE, json.dumps(wordings)], cwd=ROOT, capture_output=True, text=True)
    parts = json.loads(done.stdout)
    asked = {name: {question for question, _ in pairs} for name, pairs in parts.items()}
    assert {name: len(pairs) for name, pairs in parts.items()} == {"train": 12, "dev": 4, "held": 8}
    assert asked["held"] == {f"question {n}" for n in (2, 5, 8, 11)} and not asked["held"] & asked["train"]
    assert not asked["dev"] & (asked["train"] | asked["held"])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_both_encoders_answer_and_entries_are_added(bert_folder, tmp_path):
    questions = [f"the film is {mark} {other}" for mark in sorted(SCORES) for other in ("", "!", "x")]
    lines = [json.dumps({"question": each, "answer": f"answer to {each}"}) for each in questions]
    (tmp_path / "faq.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = [f"{each}\t{each} , a plot\t1\n{each}\tlife\t0" for each in questions]
    (tmp_path / "question_similarity_en.tsv").write_text("question_1\tquestion_2\tsimilar\n" + "\n".join(rows) + "\n")
    words = [f"--data_dir={tmp_path}", f"--encoder={bert_folder}", f"--output={tmp_path}/out", "--rounds=1", "--json"]
    words = [sys.executable, "-m", "benchmarks.faq", *words, "--epochs=1", "--sequence_length=32"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["met"]["the index inside the version is numpy's top-k"]
    assert 0 < result["figures"]["found"]["fine-tuned"]["MRR"] <= 1 and len(result["figures"]["ratios"]) == 1
    assert (tmp_path / "out/faq.json").is_file() and (tmp_path / "out/faq.png").is_file()
