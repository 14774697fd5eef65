"""Every mode keeps and finds token ids in the cache folder; a run learns the same from them."""

import json

import pytest

from tests import written
from tests.commands import run_main


@pytest.fixture
def run(flags, tmp_path):
    """run(name, *more) trains for an epoch in the workdir `name`; its dev figures and the manifest's tokens_reused."""

    def train(name, *more):
        once = (f"--workdir={tmp_path / name}", "--epochs=1", "--noexport", "--json", f"--cache_dir={tmp_path}/cache")
        done = run_main(*flags, *once, *more)
        assert done.code == 0, done.err
        return json.loads(done.out)["dev"], json.loads((tmp_path / name / "manifest.json").read_text())["tokens_reused"]

    return train


@pytest.mark.slow
def test_a_plan_makes_what_a_run_finds_and_the_run_learns_the_same(flags, run, tmp_path):
    plan = (*flags, "--mode=plan", "--json", f"--cache_dir={tmp_path}/cache")
    assert "tokenizing train 96/96 texts  0:00 left" in run_main(*plan).err
    assert len(list((tmp_path / "cache" / "tokens").iterdir())) == 3
    assert "tokenizing train 96/96 texts  found in the cache" in run_main(*plan).err
    kept, reused = run("kept")
    assert reused == {"train": True, "dev": True}
    fresh, reused = run("fresh", f"--cache_dir={tmp_path}/none", "--tokens_cache_mb=0")
    assert reused == {"train": False, "dev": False} and not (tmp_path / "none").exists()
    assert kept == fresh


@pytest.mark.slow
def test_another_length_finds_nothing_and_prediction_keeps_nothing(flags, run, trained, tmp_path):
    run("first")
    assert run("second", "--sequence_length=16")[1] == {"train": False, "dev": False}
    kept = sorted((tmp_path / "cache" / "tokens").iterdir())
    assert len(kept) == 6
    written.write_parquet(tmp_path / "texts.parquet", [("a great film", "")] * 3)
    where = (f"--workdir={trained.workdir}", "--mode=predict", f"--cache_dir={tmp_path}/cache", "--json")
    paths = (f"--predict_input={tmp_path}/*.parquet", f"--predict_output={tmp_path}/out.jsonl")
    done = run_main(*flags, *where, *paths)
    assert done.code == 0 and json.loads(done.out)["texts"] == 3, done.err
    assert sorted((tmp_path / "cache" / "tokens").iterdir()) == kept
