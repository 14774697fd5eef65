"""--mode=plan tells what a run would do, and does none of it."""

import json

import pytest

from tests import tiny_encoders, tiny_reviews
from tests.commands import run_main


@pytest.fixture(scope="module")
def planned(flags):
    return json.loads(run_main(*flags, "--mode=plan", "--json").out)


def test_it_counts_rows_labels_tokens_and_steps(planned):
    assert planned["rows"] == {"train": 96, "dev": 24, "test": 25}
    assert planned["labels"]["test"] == {"negative": 12, "positive": 13}
    assert (planned["steps_per_epoch"], planned["steps"]) == (12, 48)
    lengths = planned["token_lengths"]
    assert 2 < lengths["p50"] <= lengths["p90"] <= lengths["p100"] <= 24
    assert planned["truncated"] == {"train": 1, "dev": 0, "test": 0} and 0 <= planned["padding"] < 0.5
    assert planned["shapes"]["widest"] == lengths["p100"]


def test_it_counts_parameters_and_disk(planned):
    head = tiny_encoders.WIDTH * 2 + 2
    pooler = tiny_encoders.WIDTH**2 + tiny_encoders.WIDTH
    arrays = tiny_encoders.bert_arrays(len(tiny_encoders.VOCABULARY))
    assert planned["parameters"] == sum(array.size for array in arrays.values()) + head - pooler  # pooled by the mean
    assert planned["trainable_parameters"] == planned["parameters"]
    assert planned["disk_needed_bytes"] == 32 * planned["parameters"] < planned["disk_free_bytes"]


def test_it_says_where_and_how(planned):
    assert planned["device"] == "cpu" and planned["precision"] == "float32" and planned["replicas"] == 1
    assert planned["xla"] == "optimizer update, activations" and planned["batching"] == "random" and planned["unpadded"]


def test_people_get_tables(flags, tmp_path):
    workdir = tmp_path / "not" / "made"
    done = run_main(*flags, "--mode=plan", f"--workdir={workdir}", "--xla=on", "--sequence_length=8")
    assert done.code == 0 and not (tmp_path / "not").exists()
    for shown in ("negative", "tokens per training text", "█", "buckets", "48 (12 per epoch)", "XLA: step", "MB free"):
        assert shown in done.out
    assert max(map(len, done.out.splitlines())) <= 120


def test_it_needs_no_dev_rows(flags, tmp_path):
    path = tiny_reviews.write(tmp_path / "all.csv", tiny_reviews.rows(40))
    given = [flag for flag in flags if not flag.startswith("--data=")]
    done = run_main(*given, f"--data={path}", "--dev_fraction=0", "--test_fraction=0", "--mode=plan", "--json")
    assert done.code == 0 and json.loads(done.out)["rows"] == {"train": 40}
