"""The quality benchmark's parts that need no training: rows, store of results, table."""

import gzip
import json

import pytest

from benchmarks import quality_rows, quality_run, quality_table, result_store

SETTINGS = {"dataset": "banking77", "side": "slipway", "seed": 1, "epochs": 4, "rows": {"sha256": "ab"}}


def result(dev, test, speed):
    """A fabricated result in the shape that both sides write."""
    return {
        "dev": {"accuracy": dev, "macro_f1": dev},
        "test": {"accuracy": test, "macro_f1": test},
        "train": {"seconds": 120.0, "examples_per_second": speed},
    }


def test_a_kept_result_is_found_again_by_the_same_settings_only(tmp_path):
    store = result_store.ResultStore(tmp_path / "new")
    assert store.read(SETTINGS) is None
    store.write(SETTINGS, result(0.9, 0.8, 50))
    again = result_store.ResultStore(tmp_path / "new")
    assert again.read(dict(reversed(SETTINGS.items())))["test"]["accuracy"] == 0.8
    for change in ({"seed": 2}, {"side": "reference"}, {"epochs": 5}, {"rows": {"sha256": "cd"}}):
        assert again.read(SETTINGS | change) is None


def test_a_cut_off_write_leaves_no_result(tmp_path):
    store = result_store.ResultStore(tmp_path)
    store.path(SETTINGS).with_suffix(".unfinished").write_text('{"settings": {')
    assert store.read(SETTINGS) is None
    store.write(SETTINGS, result(0.9, 0.8, 50))
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]


def test_file_hash_sees_names_and_contents(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("1")
    second.write_text("2")
    both = result_store.hash_files([second, first])
    assert both == result_store.hash_files([first, second])
    second.write_text("3")
    assert both != result_store.hash_files([first, second])


def test_summary_gives_points_ratio_and_means():
    results = {
        ("reference", 1): result(0.80, 0.70, 50.0),
        ("slipway", 1): result(0.81, 0.69, 75.0),
        ("reference", 2): result(0.82, 0.72, 50.0),
        ("slipway", 2): result(0.82, 0.74, 25.0),
    }
    one, two, mean = quality_table.summarise(results)
    assert one["test"]["difference"] == pytest.approx(-1.0)
    assert two["examples_per_second"]["ratio"] == pytest.approx(0.5)
    assert mean["seed"] == "mean of 2"
    assert mean["dev"]["reference"] == pytest.approx(81.0)
    assert mean["test"]["difference"] == pytest.approx(0.5)
    assert mean["minutes"]["slipway"] == pytest.approx(2.0)


def test_mean_covers_only_seeds_that_both_sides_have():
    results = {("reference", seed): result(0.5 + seed / 10, 0.5, 10) for seed in (1, 2)}
    assert quality_table.summarise(results)[-1]["seed"] == "mean of 2"
    results["slipway", 2] = result(0.9, 0.9, 10)
    *_, mean = quality_table.summarise(results)
    assert mean["seed"] == "mean of 1"
    assert mean["dev"]["reference"] == pytest.approx(70.0)


def test_table_shows_a_dash_for_what_is_missing():
    rows = quality_table.summarise({("reference", 1): result(0.8765, 0.7, 50.0)})
    lines = quality_table.format_table("sst2", rows, ["a note"]).splitlines()
    assert lines[2].split()[:6] == ["sst2", "1", "87.65", "-", "-", "70.00"]
    assert len({len(line) for line in lines[:-1]}) == 1
    assert lines[-1] == "a note"
    assert quality_table.summarise({}) == []


def write_banking(folder):
    """A tiny data set in banking77's columns: 20 rows of each of two labels, no dev file."""
    rows = [{"text": f"row {i} – ü", "category": "ab"[i % 2]} for i in range(40)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "train.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    (folder / "test.jsonl").write_text(text)


def test_rows_are_split_by_label_and_the_same_each_time(tmp_path):
    write_banking(tmp_path)
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found.append(quality_rows.write_rows("banking77", tmp_path, tmp_path / name))
    assert found[0] == found[1]
    assert {split: found[0][split] for split in quality_rows.SPLITS} == {"train": 36, "dev": 4, "test": 40}
    dev = [json.loads(line) for line in (tmp_path / "one/dev.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(row["label"] for row in dev) == ["a", "a", "b", "b"]
    train = (tmp_path / "one/train.jsonl").read_text(encoding="utf-8")
    assert not any(row["text"] + '"' in train for row in dev)


def test_pairs_keep_both_texts_and_quotes_in_tsv(tmp_path):
    text = 'Quality\t#1 String\t#2 String\n1\tHe said "no.\tNo", he said.\n0\ta\tb\n'
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.tsv").write_text(text)
    rows = quality_rows.read_split(tmp_path, "train", quality_rows.DATASETS["mrpc"])
    assert rows[0] == {"text": 'He said "no.', "text_pair": 'No", he said.', "label": "1"}


def test_a_missing_column_or_split_is_named(tmp_path):
    with pytest.raises(quality_rows.RowsError, match="no rows in train"):
        quality_rows.write_rows("sst2", tmp_path, tmp_path)
    (tmp_path / "train.csv").write_text("text,label\na,b\n")
    with pytest.raises(quality_rows.RowsError, match="no column 'sentence'; it has text, label"):
        quality_rows.write_rows("sst2", tmp_path, tmp_path)


def test_both_sides_are_called_with_the_same_settings():
    settings = {"dataset": "mrpc", "seed": 3, "epochs": 2, "batch_size": 16, "learning_rate": 5e-05}
    settings |= {"max_length": 64, "bf16": True, "flags": ["--warmup=0.1"]}
    ours = quality_run.slipway_command(settings, "/d", "/e", "/w")
    reference = quality_run.reference_command(settings, "/d", "/e", quality_run.ROOT, "python", 2)
    for name in ("seed=3", "epochs=2", "batch_size=16", "learning_rate=5e-05", "data=/d", "encoder=/e"):
        assert f"--{name}" in ours and f"--{name}" in reference
    assert {"--sequence_length=64", "--precision=bfloat16", "--text_pair_column=text_pair", "--warmup=0.1"} <= set(ours)
    assert {"--max_length=64", "--bf16=on", "--threads=2"} <= set(reference)


def test_a_run_that_fails_or_cannot_start_says_so(tmp_path, capfd):
    with pytest.raises(quality_run.RunError, match="--bench_python") as missing:
        quality_run.call([str(tmp_path / "python")], "reference")
    assert missing.value.exit_code == 2
    with pytest.raises(quality_run.RunError, match="slipway run ended with exit code 5") as failed:
        quality_run.call(["sh", "-c", "echo seen; exit 5"], "slipway")
    assert failed.value.exit_code == 5
    assert capfd.readouterr().out == ""
