"""benchmarks.heads over tiny data sets: what its lines say, what it checks of the version, and mistakes."""

import json
import subprocess
import sys

import pytest

from tests import task_walks, tiny_reviews
from tests.commands import ROOT
from tests.task_walks import SCORES

CLAIMS = "import json, sys; from benchmarks import heads; print(json.dumps(heads.claims(json.loads(sys.argv[1]))))"
COUNTS = {"train": 48, "dev": 16, "test": 16}


def run(*command):
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)


def write(folder, name, header, rows):
    folder.mkdir(exist_ok=True)
    lines = ["\t".join(map(str, row)) for row in ([header] if header else []) + rows]
    (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def sentence(text):
    """(intent, text, a tag for each word) as snips has them."""
    tags = ["O" if word not in SCORES else f"B-{'praise' if SCORES[word] > 0 else 'blame'}" for word in text.split()]
    return "asks" if "?" in text else "says", text, " ".join(tags)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Folders of emotion, snips and stsb in the columns and under the names of their own files."""
    folder = tmp_path_factory.mktemp("heads")
    for seed, (split, count) in enumerate(COUNTS.items()):
        rows = tiny_reviews.rows(count, seed)
        write(folder / "emotion", {"dev": "validation"}.get(split, split), ("text", "label"), rows)
        asked = [sentence(text + " ?" * (row % 2)) for row, (text, _) in enumerate(rows)]
        write(folder / "snips", {"dev": "valid"}.get(split, split), ("intent", "tokens", "slots"), asked)
        pairs = [("g", "f", 1, 2, score, a, b) for a, b, score in task_walks.scored_pairs(count, seed)]
        write(folder / "stsb", split, (), pairs)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_four_models_beside_one(data, bert_folder, tmp_path):
    words = [f"--data_dir={data}", f"--encoder={bert_folder}", f"--output={tmp_path}", "--max_train_rows=32"]
    more = ["--", "--learning_rate=1e-2", "--batch_size=8", "--proof_texts=8", "--precision=float32"]
    done = run("-m", "benchmarks.heads", *words, "--epochs=1", "--sequence_length=48", "--json", *more)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    found = result["figures"]
    assert {name: each["metric"] for name, each in found["heads"].items()} == {
        "emotion": "accuracy",
        "intent": "accuracy",
        "slots": "span_f1",
        "similar": "spearman",
    }
    assert all(-1 <= each[side] <= 1 for each in found["heads"].values() for side in ("single", "multi"))
    assert set(found["passes"].values()) == {1.0}
    lost = {name: each["multi"] < each["single"] - 0.01 for name, each in found["heads"].items()}
    assert result["met"] == {
        "the graph of all heads has one pass of the encoder": True,
        "one call answers for all heads": True,
        **{f"{name} loses no more than a point": not lost[name] for name in lost},
    }
    assert found["asked"]["calls"] == 1 and set(found["asked"]["answered"].values()) == {48}
    assert found["rows"]["snips"] == {"train": 32, "dev": 16, "test": 16}
    assert (tmp_path / "heads.json").is_file() and (tmp_path / "heads.png").is_file()


@pytest.mark.parametrize(
    "passes, calls, answered, holds",
    [(1.0, 1, 9, [True, True]), (2.0, 1, 9, [False, True]), (1.0, 4, 9, [True, False]), (1.0, 1, 8, [True, False])],
)
def test_a_second_pass_and_a_second_call_are_told(passes, calls, answered, holds):
    found = {
        "passes": {"a": 1.0, "b": passes},
        "asked": {"calls": calls, "texts": 9, "answered": {"x": 9, "y": answered}},
    }
    done = run("-c", CLAIMS, json.dumps(found))
    assert list(json.loads(done.stdout).values()) == holds


def test_a_folder_that_is_not_there_is_one_line(bert_folder, tmp_path):
    done = run("-m", "benchmarks.heads", f"--data_dir={tmp_path}", f"--encoder={bert_folder}", f"--output={tmp_path}")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith(f"error: {tmp_path}/emotion: no rows in train; needed is a file")
