"""The quality benchmark's parts that need no training: store of results, tables, commands; and the whole in tiny."""

import json
import subprocess
import sys

import pytest

from benchmarks import out_of_scope, quality_run, quality_summary, quality_table, result_store
from benchmarks.quality_figures import figures_of, metric_of
from benchmarks.quality_question import Question
from benchmarks.worker import BENCH_PYTHON, ROOT
from tests import tiny_reviews

SETTINGS = {"dataset": "banking77", "side": "slipway", "seed": 1, "epochs": 4, "rows": {"sha256": "ab"}}
FIGURES = figures_of("sst2")


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
    one, two, mean = quality_table.summarise(results, FIGURES)
    assert one["test"]["difference"] == pytest.approx(-1.0)
    assert two["examples_per_second"]["ratio"] == pytest.approx(0.5)
    assert mean["seed"] == "mean of 2"
    assert mean["dev"]["reference"] == pytest.approx(81.0)
    assert mean["test"]["difference"] == pytest.approx(0.5)
    assert mean["minutes"]["slipway"] == pytest.approx(2.0)


def test_mean_covers_only_seeds_that_both_sides_have():
    results = {("reference", seed): result(0.5 + seed / 10, 0.5, 10) for seed in (1, 2)}
    assert quality_table.summarise(results, FIGURES)[-1]["seed"] == "mean of 2"
    results["slipway", 2] = result(0.9, 0.9, 10)
    *_, mean = quality_table.summarise(results, FIGURES)
    assert mean["seed"] == "mean of 1"
    assert mean["dev"]["reference"] == pytest.approx(70.0)


def test_table_shows_a_dash_for_what_is_missing():
    rows = quality_table.summarise({("reference", 1): result(0.8765, 0.7, 50.0)}, FIGURES)
    lines = quality_table.format_table("sst2", rows, FIGURES, ["a note"]).splitlines()
    assert lines[2].split()[:6] == ["sst2", "1", "87.65", "-", "-", "70.00"]
    assert len({len(line) for line in lines[:-1]}) == 1
    assert lines[-1] == "a note"
    assert quality_table.summarise({}, FIGURES) == []


def test_each_task_has_its_figures_and_a_summary_of_those_on_test():
    scores = {"spearman": 0.8, "pearson": 0.7, "mse": 0.5}
    ours = {"dev": scores, "test": scores | {"mse": 0.4}, "train": {}}
    results = {("reference", 1): ours | {"test": scores}, ("slipway", 1): ours}
    rows = quality_table.summarise(results, figures_of("stsb"))
    lines = quality_summary.summary_of("stsb", rows)
    assert [(line["metric"], line["reference"]) for line in lines] == [("spearman", 80), ("pearson", 70), ("mse", 0.5)]
    assert lines[2]["by_seed"] == [pytest.approx(-0.1)]
    assert quality_summary.summary_cells(lines)[3][1:] == (
        "regression",
        "mse",
        "0.5000",
        "0.4000",
        "-0.1000",
        "-0.1000",
    )
    assert [metric_of(name) for name in ("clinc150", "stsb", "nlupp_hotels")] == ["accuracy", "spearman", "micro_f1"]
    assert quality_summary.summary_of("stsb", []) == []
    assert "out_of_scope" in quality_table.summarise({("slipway", 1): ours}, figures_of("clinc150"))[0]


def test_spans_have_precision_and_recall_on_dev_and_test():
    ours = {split: {"span_f1": 0.8, "span_precision": 0.7, "span_recall": 0.9} for split in ("dev", "test")}
    rows = quality_table.summarise({("slipway", 1): ours, ("reference", 1): ours}, figures_of("conll2003"))
    names = ("dev", "test", "dev_precision", "precision", "dev_recall", "recall")
    assert [rows[0][name]["slipway"] for name in names] == pytest.approx([80, 80, 70, 70, 90, 90])
    lines = quality_summary.summary_of("conll2003", rows)
    assert [line["metric"] for line in lines] == ["span_f1", "span_precision", "span_recall"]
    assert metric_of("snips_slots") == metric_of("cluener2020") == "span_f1"


def test_texts_out_of_scope_are_told_by_their_small_probabilities():
    found = out_of_scope.auroc({"test": [0.9, 0.8, 0.5], "out_of_scope": [0.5, 0.1]})
    assert found == {"auroc": pytest.approx(5.5 / 6), "in_scope": 3, "out_of_scope": 2}


def test_ours_is_judged_by_its_three_scores(tmp_path):
    assert out_of_scope.flags(tmp_path) == []
    (tmp_path / "out_of_scope.jsonl").touch()
    assert out_of_scope.flags(tmp_path) == [
        "--out_of_scope=max_softmax",
        f"--out_of_scope_test={tmp_path}/out_of_scope.jsonl",
    ]
    apart = {"texts": 7, "auroc": {"max_softmax": 0.9, "energy": 0.8, "distance": 0.95}}
    found = out_of_scope.judged({"decisions": {"out_of_scope": {"told_apart": {"test": apart}}}})
    assert found == {"auroc": 0.9, "out_of_scope": 7, "auroc_energy": 0.8, "auroc_distance": 0.95}
    ours = result(0.9, 0.9, 1) | {"out_of_scope": found}
    row = quality_table.summarise({("slipway", 1): ours}, figures_of("clinc150"))[0]
    assert row["auroc_distance"] == {"slipway": pytest.approx(95), "reference": None, "difference": None}


def test_only_missing_runs_are_made(tmp_path, monkeypatch):
    made = []

    def run_once(settings, *_):
        made.append((settings["side"], settings["seed"]))
        return result(0.9, 0.8, 50)

    monkeypatch.setattr(quality_run, "run_once", run_once)
    question = Question({"dataset": "sst2"}, ["--warmup=0.1"], "", "", result_store.ResultStore(tmp_path))
    question.run_missing(["reference"], [1], "python", 1)
    question.run_missing(["reference", "slipway"], [1, 2], "python", 1)
    assert made == [("reference", 1), ("slipway", 1), ("reference", 2), ("slipway", 2)]
    question.run_missing([], [1, 2, 3], "python", 1)
    assert list(question.kept([2, 3])) == [("reference", 2), ("slipway", 2)]
    assert question.settings("slipway", 1)["flags"] and "flags" not in question.settings("reference", 1)


def test_both_sides_are_called_with_the_same_settings():
    settings = {"dataset": "mrpc", "seed": 3, "epochs": 2, "batch_size": 16, "learning_rate": 5e-05}
    settings |= {"max_length": 64, "bf16": True, "flags": ["--warmup=0.1"]}
    ours = quality_run.slipway_command(settings, "/d", "/e", "/w")
    reference = quality_run.reference_command(settings, "/d", "/e", quality_run.ROOT, "python", 2)
    for name in ("seed=3", "epochs=2", "batch_size=16", "learning_rate=5e-05", "data=/d", "encoder=/e"):
        assert f"--{name}" in ours and f"--{name}" in reference
    assert {"--sequence_length=64", "--precision=bfloat16", "--text_pair_column=text_pair", "--warmup=0.1"} <= set(ours)
    assert {"--max_length=64", "--bf16=on", "--threads=2", "--task=classification"} <= set(reference)
    assert not any(word.startswith("--task=") for word in ours)
    others = {"stsb": ("regression", "spearman"), "nlupp_banking": ("multi_label", "micro_f1")}
    others |= {"conll2003": ("tagging", "span_f1"), "squad": ("span_qa", "f1")}
    for dataset, (task, metric) in others.items():
        ours = quality_run.slipway_command(settings | {"dataset": dataset}, "/d", "/e", "/w")
        assert {f"--task={task}", f"--metric={metric}"} <= set(ours)


def test_a_run_that_fails_or_cannot_start_says_so(tmp_path, capfd):
    with pytest.raises(quality_run.RunError, match="--bench_python") as missing:
        quality_run.call([str(tmp_path / "python")], "reference")
    assert missing.value.exit_code == 2
    with pytest.raises(quality_run.RunError, match="slipway run ended with exit code 5") as failed:
        quality_run.call(["sh", "-c", "echo seen; exit 5"], "slipway")
    assert failed.value.exit_code == 5
    assert capfd.readouterr().out == ""


def write_clinc(folder):
    """A tiny clinc150: two labels and texts that belong to neither."""
    for name, count in (("train", 48), ("val", 12), ("test", 12)):
        tiny_reviews.write(folder / f"{name}.tsv", tiny_reviews.rows(count, seed=count), ("text", "intent"))
    far = [("a plot " * row, "oos") for row in range(2, 12)]
    tiny_reviews.write(folder / "oos_test.tsv", far, ("text", "intent"))


def write_conll(folder):
    """A tiny conll2003: marks are entities."""
    for name, count in (("train", 48), ("dev", 12), ("test", 12)):
        lines = []
        for text, label in tiny_reviews.rows(count, seed=count):
            marks = {word for mark in tiny_reviews.MARKS[label] for word in mark.split()}
            lines += [f"{word} X O {f'B-{label}' if word in marks else 'O'}\n" for word in text.split()] + ["\n"]
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.txt").write_text("".join(lines), encoding="utf-8")


def compare(cache, folder, *given):
    """Runs the benchmark with one seed and epoch; returns its JSON object. The reference runs where it can."""
    sides = ("reference", "slipway") if BENCH_PYTHON.is_file() else ("slipway",)
    given = (*given, f"--data_dir={folder}", f"--cache_dir={cache}", f"--results={folder}/kept", "--seeds=1")
    command = [sys.executable, "-m", "benchmarks.quality_vs_transformers", *given, "--epochs=1", "--json"]
    done = subprocess.run([*command, f"--sides={','.join(sides)}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), sides


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_texts_out_of_scope_in_tiny_and_the_summary_of_it(cache, tmp_path):
    write_clinc(tmp_path / "clinc150")
    found, sides = compare(cache, tmp_path, "--dataset=all", "--max_train_rows=32")
    by_dataset = {}
    for line in found["rows"]:
        by_dataset.setdefault(line["dataset"], []).append(line)
    assert list(by_dataset) == ["quickstart", "clinc150"]
    assert [line["metric"] for line in by_dataset["clinc150"]] == [
        *("accuracy", "macro_f1", "auroc", "auroc_energy", "auroc_distance")
    ]
    own = ("auroc_energy", "auroc_distance")  # which the reference has not
    asked = [(line, side) for line in found["rows"] for side in sides if line["metric"] not in own or side == "slipway"]
    assert all(0 <= line[side] <= 100 for line, side in asked)
    assert any(f"sst2: skipped: {tmp_path}/sst2: no such folder" in note for note in found["notes"])
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()}
    assert len(kept) == 2 * len(sides)
    again, _ = compare(cache, tmp_path, "--dataset=all", "--max_train_rows=32")
    assert again["rows"] == found["rows"] and {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_spans_in_tiny(cache, tmp_path):
    write_conll(tmp_path / "conll2003")
    found, sides = compare(cache, tmp_path / "conll2003", "--dataset=conll2003", "--max_train_rows=32")
    row = found["rows"][0]
    assert found["settings"]["rows"]["train"] == 32
    for side in sides:
        assert all(0 <= row[name][side] <= 100 for name in ("dev", "test", "precision", "dev_recall"))


@pytest.mark.parametrize(
    "given, said",
    [
        (["--dataset=all", "--encoder=/not/there"], "error: /not/there: no such folder; run `python -m data.fetch`"),
        (["--dataset=emotion"], "error: --data_dir is empty: --dataset=emotion needs the folder of its files"),
        (["--dataset=emotion", "--data_dir=/not/there"], "error: /not/there: no such folder; give --data_dir"),
    ],
)
def test_a_mistake_is_one_line(given, said, cache):
    command = [sys.executable, "-m", "benchmarks.quality_vs_transformers", f"--cache_dir={cache}", *given]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.splitlines()[-1].startswith(said)
