"""--doctor at the start of a training run."""

import json

from tests import tiny_reviews
from tests.commands import run_main
from trainer.config import FREE_TO_CHANGE


def test_what_was_found_stays_with_the_run(trained):
    found = json.loads((trained.workdir / "doctor.json").read_text())
    assert [file["split"] for file in found["files"]] == ["train", "dev", "test"]
    assert {"files", "findings", "overlaps", "lengths"} <= set(found)
    assert "doctor" in FREE_TO_CHANGE


def test_strict_stops_before_anything_is_written(tmp_path, bert_folder):
    table = tiny_reviews.rows(40)
    for name in ("train", "dev"):
        tiny_reviews.write(tmp_path / "set" / f"{name}.csv", table)
    workdir = tmp_path / "run"
    done = run_main(f"--data={tmp_path / 'set'}", f"--workdir={workdir}", f"--encoder={bert_folder}", "--doctor=strict")
    assert done.code == 1 and not workdir.exists()
    assert f"{tmp_path / 'set/dev.csv'} are also in" in done.error() and "Traceback" not in done.err
