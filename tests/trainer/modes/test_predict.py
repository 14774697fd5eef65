"""--mode=predict on files of many chunks: what stops it, and how it goes on."""

import json
import random
import signal
import time

import pytest

from tests import tiny_reviews
from tests.commands import run_main, start_main
from trainer.modes import predict, predictions

ROWS = 50


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("".join(f"{text}\n" for text, _ in tiny_reviews.rows(ROWS, seed=9)), encoding="utf-8")
    return path


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(predict, "CHUNK_ROWS", 8)


def flags(trained, texts, out, *more):
    workdir = f"--workdir={trained.workdir}"
    return (*trained.flags, workdir, "--mode=predict", f"--predict_input={texts}", f"--predict_output={out}", *more)


def ending(monkeypatch, error, calls):
    """Makes the chunk after `calls` others end in `error`."""
    made, lines = [], predictions.lines

    def failing(*args, **settings):
        if len(made) == calls:
            raise error
        made.append(None)
        return lines(*args, **settings)

    monkeypatch.setattr(predictions, "lines", failing)


def test_many_chunks_give_what_one_gives(trained, texts, tmp_path, monkeypatch):
    run_main(*flags(trained, texts, tmp_path / "whole.jsonl"))
    monkeypatch.setattr(predict, "CHUNK_ROWS", 8)
    done = run_main(*flags(trained, texts, tmp_path / "chunks.jsonl", "--json"))
    assert json.loads(done.out) == {"texts": ROWS, "truncated": 0, "output": str(tmp_path / "chunks.jsonl")}
    whole, chunks = ([json.loads(line) for line in open(tmp_path / f"{name}.jsonl")] for name in ("whole", "chunks"))
    assert [row["row"] for row in chunks] == list(range(ROWS))
    for a, b in zip(whole, chunks, strict=True):
        assert (a["text"], a["label"]) == (b["text"], b["label"])
        assert a["probabilities"] == pytest.approx(b["probabilities"], abs=1e-6)
    assert f"predicting {ROWS}/{ROWS} texts" in done.err and " texts/s  0:00 left" in done.err


def test_an_interrupt_is_130_and_the_same_command_goes_on(trained, texts, tmp_path, monkeypatch, small_chunks):
    run_main(*flags(trained, texts, tmp_path / "undisturbed.jsonl"))
    command = flags(trained, texts, tmp_path / "out.jsonl", "--json")
    with monkeypatch.context() as patch:
        ending(patch, KeyboardInterrupt(), 3)
        done = run_main(*command)
    assert done.code == 130 and "stopped after 24 texts; the same command goes on there\n" in done.err
    assert not (tmp_path / "out.jsonl").exists()
    answered = []
    monkeypatch.setattr(predict.job.Trained, "answer", _counting(predict.job.Trained.answer, answered))
    done = run_main(*command)
    assert done.code == 0 and "24 of 50 texts are predicted already" in done.err
    assert sum(answered) == ROWS - 24
    assert json.loads(done.out) == {"texts": ROWS, "truncated": 0, "output": str(tmp_path / "out.jsonl")}
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "undisturbed.jsonl").read_bytes()
    assert not list(tmp_path.glob("out.jsonl.*"))


def _counting(answer, answered):
    def counted(self, table, progress):
        answered.append(len(table))
        return answer(self, table, progress)

    return counted


def test_other_texts_are_not_continued(trained, texts, tmp_path, monkeypatch, small_chunks):
    command = flags(trained, texts, tmp_path / "out.jsonl")
    with monkeypatch.context() as patch:
        ending(patch, KeyboardInterrupt(), 3)
        run_main(*command)
    lines = texts.read_text("utf-8").splitlines()
    texts.write_text("\n".join([*lines[1:], lines[0]]), encoding="utf-8")
    done = run_main(*command)
    assert done.code == 0 and "out.jsonl.partial was made from other texts: beginning anew" in done.err
    assert [json.loads(line)["text"] for line in open(tmp_path / "out.jsonl")] == [*lines[1:], lines[0]]


@pytest.mark.slow
def test_answers_that_other_flags_decide_are_not_continued(trained, texts, tmp_path, monkeypatch, small_chunks):
    """These flags may change at any time, and yet half a file must not be calibrated otherwise than the rest."""
    with monkeypatch.context() as stopped:
        ending(stopped, KeyboardInterrupt, calls=2)
        assert run_main(*flags(trained, texts, tmp_path / "out.jsonl")).code == 130
    done = run_main(*flags(trained, texts, tmp_path / "out.jsonl", "--calibration=none", "--abstain_precision=0.8"))
    assert done.code == 0 and "out.jsonl.partial was made from other decisions: beginning anew" in done.err
    rows = [json.loads(line) for line in open(tmp_path / "out.jsonl")]
    assert len(rows) == ROWS and all("abstain" in row for row in rows)


def test_a_full_disk_is_5_and_keeps_what_was_done(trained, texts, tmp_path, monkeypatch, small_chunks):
    command = flags(trained, texts, tmp_path / "out.jsonl")
    with monkeypatch.context() as patch:
        ending(patch, OSError(28, "No space left on device", f"{tmp_path}/out.jsonl.partial"), 2)
        done = run_main(*command)
    assert done.code == 5 and done.err.endswith(
        f"error: disk full at {tmp_path}/out.jsonl.partial: free some space, then give the same command again\n"
    )
    assert "16 of 50 texts are predicted already" in run_main(*command).err


def test_the_input_is_never_the_output(trained, tmp_path):
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "a film"}\n')
    done = run_main(*flags(trained, path, path))
    assert done.code == 2 and "is --predict_input itself; give another file" in done.error()
    assert path.read_text() == '{"text": "a film"}\n'


def many_texts(path, rows):
    """Texts of many lengths, no two alike."""
    draw = random.Random(1)
    known = [text for text, _ in tiny_reviews.rows(200, seed=5)]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{number} {' '.join(draw.choices(known, k=draw.randint(1, 3)))}\n" for number in range(rows))


def killed(command, journal, draw):
    """Kills the command with SIGKILL at a random moment behind its next entry in the journal; texts safe by then."""
    before = journal.read_text() if journal.exists() else None
    with start_main(*command) as process:
        while process.poll() is None and (not journal.exists() or journal.read_text() == before):
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL, "it was over before it was killed"
    return json.loads(journal.read_text())["counts"]["rows"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_twice_it_ends_as_if_undisturbed(trained, tmp_path, rows=20_500):
    many_texts(tmp_path / "many.txt", rows)
    draw, journal = random.Random(7), tmp_path / "out.jsonl.journal"
    command = flags(trained, tmp_path / "many.txt", tmp_path / "out.jsonl", "--json")
    safe = [killed(command, journal, draw) for _ in range(2)]
    assert 0 < safe[0] < safe[1] < rows and not (tmp_path / "out.jsonl").exists()
    done = run_main(*command)
    assert done.code == 0 and f"{safe[1]} of {rows} texts are predicted already" in done.err
    assert run_main(*flags(trained, tmp_path / "many.txt", tmp_path / "whole.jsonl")).code == 0
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    found = [json.loads(line) for line in open(tmp_path / "out.jsonl", encoding="utf-8")]
    assert [row["row"] for row in found] == list(range(rows))
    assert [row["text"] for row in found] == (tmp_path / "many.txt").read_text("utf-8").splitlines()


def test_an_output_that_the_pattern_matches_is_refused(trained, tmp_path):
    for name in ("a", "out"):
        tiny_reviews.write(tmp_path / f"{name}.jsonl", tiny_reviews.rows(3))
    done = run_main(*flags(trained, f"{tmp_path}/*.jsonl", tmp_path / "out.jsonl"))
    assert done.code == 2 and "out.jsonl is --predict_input itself; give another file" in done.err
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3
