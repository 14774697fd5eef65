"""The parts of the three benchmarks beside peers that need no training, and each of them in a tiny form.

In the slow tests ours and KerasHub always run; PyTorch and ONNX Runtime where `make bench` has made their environment,
else it is looked for that they are said to be skipped.
"""

import json
import os
import re
import subprocess
import sys

import pytest

from benchmarks import paired, quality_run, result_store, same_answers, served_texts
from benchmarks.peers import op_seconds, random_tokens, slipway_products
from benchmarks.train_runs import SIDES, Runs
from benchmarks.worker import BENCH_PYTHON, ROOT
from tests import tiny_encoders, tiny_reviews

CONFIG = {"hidden_size": 8, "intermediate_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2}


def test_products_of_an_encoder_are_counted_with_the_short_last_layer():
    found = slipway_products.products(CONFIG, batch=3, length=5)
    assert found.count((1, 15, 8, 24)) == 1 and found.count((6, 5, 4, 5)) == 1  # whole layers: all but the last
    assert (1, 15, 8, 16) in found and (6, 1, 4, 5) in found and (1, 3, 16, 8) in found
    assert len(found) == 6 + 7 + 1
    one, two = (slipway_products.products(CONFIG | {"num_hidden_layers": n}, 3, 5) for n in (1, 2))
    assert len(two) - len(one) == 6


@pytest.mark.parametrize(
    "name, kind",
    [
        ("call/gradient_tape/unpadded_1/MatMul_23/MatMul_1:_MklMatMul", "matmul"),
        ("unpadded_1/Gelu/Erfc:Erfc", "gelu"),
        ("unpadded_1/stateless_dropout/SelectV2:SelectV2", "dropout"),
        ("a/MatMul_1-0-CastToFp32-0-AutoMixedPrecision:Cast", "casts"),
        ("unpadded_1/transpose_15/transpose:_MklTranspose", "gather/scatter"),
        ("unpadded_1/Mean_3:Mean", "norm"),
        ("CpuExecutable::ExecuteAsyncOnStream", "XLA: optimizer update, activations"),
        ("ExecutorState::Process", "not a kernel"),
        ("multiply_add_fusion.209", "not a kernel"),
        ("x:NeverHeardOf", "other"),
        ("StatefulPartitionedCall/x:StatefulPartitionedCall", "calls"),
    ],
)
def test_kernels_have_their_category(name, kind):
    assert op_seconds.category(name) == kind


def test_random_tokens_are_full_and_the_same_for_every_side(bert_folder):
    first, labels = random_tokens.random_tokens(bert_folder, 4, 6)
    again, _ = random_tokens.random_tokens(bert_folder, 4, 6)
    assert (first == again).all() and first.shape == (4, 6) and labels.shape == (4,)
    assert first.max() < len(tiny_encoders.VOCABULARY)


def test_texts_have_exactly_so_many_tokens(bert_folder):
    texts = served_texts.exactly(12, 3, bert_folder)
    words = {word for word in tiny_encoders.WORDS if word.isascii() and word.isalpha()}
    assert [len(text.split()) for text in texts] == [10, 10, 10] and set(" ".join(texts).split()) <= words
    assert len(served_texts.EIGHT_WORDS.split()) == 8


def test_real_texts_come_from_test_rows_and_a_folder_without_them_is_named(tmp_path):
    tiny_reviews.write(tmp_path / "test.tsv", tiny_reviews.rows(6), ("text_a", "label"))
    batches = served_texts.real(tmp_path, served_texts.CHNSENTICORP, size=4, batches=3)
    assert [len(batch) for batch in batches] == [4, 4, 4]
    with pytest.raises(quality_run.RunError, match="no test and no dev rows"):
        served_texts.real(tmp_path / "nowhere", served_texts.CHNSENTICORP, size=4, batches=3)


def answers(*rows):
    return [{"seconds": [1.0], "probabilities": list(rows)}]


def test_other_answers_end_the_comparison():
    sides = ("slipway float32", "PyTorch float32")
    same = {"case": {"slipway float32": answers([0.5, 0.5]), "PyTorch float32": answers([0.5004, 0.4996])}}
    found = same_answers.differences(same, sides[1])
    assert found["case"]["slipway float32"] == pytest.approx(4e-4)
    same_answers.check(found, *sides)
    for wrong in ([0.6, 0.4], [float("nan"), 0.5]):
        other = {"case": same["case"] | {"slipway float32": answers(wrong)}}
        with pytest.raises(paired.NotEqual, match="case: a probability of slipway float32 differs"):
            same_answers.check(same_answers.differences(other, sides[1]), *sides)
    assert same_answers.differences({"case": {"slipway float32": answers([0.5, 0.5])}}, sides[1]) == {}


ASKED = {"dataset": "sst2", "epochs": 1, "batch_size": 32, "max_length": 64, "learning_rate": 5e-5}
RUNS = Runs(ASKED, {side: "auto" if side == "slipway" else True for side in SIDES}, "/data", "/encoder", "python")


def test_finished_training_runs_are_not_made_again(tmp_path, monkeypatch):
    made = []

    def run_once(_, settings):
        made.append((settings["side"], settings["seed"]))
        if len(made) == 3:
            raise KeyboardInterrupt
        return {"train": {"seconds": 1.0}}

    monkeypatch.setattr(Runs, "run_once", run_once)
    store = result_store.ResultStore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        RUNS.missing(store, ["slipway", "keras_hub"], rounds=2)
    results = RUNS.missing(store, ["slipway", "keras_hub"], rounds=2)
    assert made == [("slipway", 1), ("keras_hub", 1), ("slipway", 2), ("slipway", 2), ("keras_hub", 2)]
    assert {side: len(runs) for side, runs in results.items()} == {"slipway": 2, "keras_hub": 2}


def test_every_side_trains_with_the_same_settings(tmp_path):
    words = {side: list(map(str, RUNS.command(RUNS.settings(side, 1), tmp_path / side))) for side in SIDES}
    for side in SIDES:
        assert {"--data=/data", "--encoder=/encoder", "--epochs=1", "--batch_size=32"} <= set(words[side])
        assert "--learning_rate=5e-05" in words[side]
    assert {"--precision=auto", "--sequence_length=64", "--noexport"} <= set(words["slipway"])
    assert set(words["trainer_by_length"]) - set(words["trainer"]) >= {"--group_by_length"}
    assert "--bf16=on" in words["trainer"] and "--policy=mixed_bfloat16" in words["keras_hub"]


def benchmark(name, *given, cache, output):
    """Runs a benchmark; returns its JSON object."""
    command = [sys.executable, "-m", f"benchmarks.{name}", f"--cache_dir={cache}", f"--output={output}", *given]
    done = subprocess.run(
        [*command, "--json"],
        cwd=ROOT,
        env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"},  # idle threads of torch must not starve the others
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (output / f"{name}.png").is_file() and (output / f"{name}.json").is_file()
    return json.loads(done.stdout.splitlines()[-1])


def expect_peers(found, *peers):
    """Peers of the bench environment stand in every case, or are skipped with the reason."""
    there = BENCH_PYTHON.is_file()
    assert set(found["skipped"]) == (set() if there else set(peers))
    assert all("make bench" in reason for reason in found["skipped"].values())
    for sides in found["summary"].values():
        assert set(peers) <= set(sides) if there else not set(peers) & set(sides)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_step_vs_peers_in_tiny(cache, tmp_path):
    given = ("--rounds=1", "--steps=1", "--shapes=4x16", "--precisions=auto,bfloat16", "--nocompiled_peers")
    found = benchmark("step_vs_peers", *given, cache=cache, output=tmp_path)
    expect_peers(found, "PyTorch bfloat16 autocast", "PyTorch float32")
    (sides,) = found["summary"].values()
    assert {"slipway auto", "slipway bfloat16", "matrix products alone float32", "KerasHub float32"} <= set(sides)
    assert set(sides["KerasHub mixed_bfloat16"]["ratios"]) == {"slipway auto", "slipway bfloat16"}
    (profiled,) = found["more"]["kernel_seconds"].values()
    assert {"matmul", "softmax", "XLA: optimizer update, activations"} <= set(profiled["slipway auto"])


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_serve_vs_peers_in_tiny(cache, tmp_path):
    tiny_reviews.write(tmp_path / "zh/test.tsv", tiny_reviews.rows(6), ("text_a", "label"))
    given = ("--rounds=1", "--runs=2", "--batches=1", "--length=32", f"--chnsenticorp_dir={tmp_path / 'zh'}")
    found = benchmark("serve_vs_peers", *given, "--precisions=float32", cache=cache, output=tmp_path / "out")
    torch = [f"PyTorch {each}" for each in ("float32", "bfloat16 autocast", "bfloat16 weights")]
    expect_peers(found, *torch, "ONNX Runtime float32", "ONNX Runtime int8")
    assert len(found["summary"]) == 4
    assert found["summary"]["1 text of 8 words"]["slipway float32"]["p99"] > 0
    if BENCH_PYTHON.is_file():
        for case, by_side in found["more"]["differences"].items():
            assert by_side["slipway float32"] < 1e-5, case
            assert by_side["ONNX Runtime float32"] < 1e-4 and by_side["slipway float32, rewritten"] < 0.05


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_train_vs_peers_in_tiny_and_once(cache, tmp_path):
    given = ("--rounds=1", "--rows=40", "--max_length=32")
    found = benchmark("train_vs_peers", *given, cache=cache, output=tmp_path)
    expect_peers(found, "trainer", "trainer_by_length")
    assert set(found["summary"]) == {"training alone", "whole process"}
    for side in ("slipway", "keras_hub"):
        alone, whole = (found["summary"][case][side]["seconds"]["median"] for case in found["summary"])
        assert 0 < alone < whole
    kept = sorted(tmp_path.glob("*seed1*"))
    times = [path.stat().st_mtime_ns for path in kept]
    again = benchmark("train_vs_peers", *given, cache=cache, output=tmp_path)
    assert again["summary"] == found["summary"] and [path.stat().st_mtime_ns for path in kept] == times


FLAGS_OF_OTHERS = {"mixed_precision", "noexport", "export"}  # of trainer.main and TF Serving, named beside ours


@pytest.mark.parametrize("name", ["step_vs_peers", "serve_vs_peers", "train_vs_peers"])
def test_flags_that_the_readme_shows_exist(name):
    readme = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"--(?:no)?(\w+)", "".join(line for line in readme.splitlines() if name in line)))
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    known = set(re.findall(r"--(?:\[no\])?(\w+)", done.stdout))
    assert {"rounds", "output", "json"} <= known and shown and shown - FLAGS_OF_OTHERS <= known


@pytest.mark.parametrize(
    "command, said",
    [
        (["step_vs_peers", "--encoder=nowhere"], "error: nowhere: no such folder; run `python -m data.fetch`"),
        (["step_vs_peers", "--shapes=32"], "allowed: ROWSxTOKENS"),
        (["serve_vs_peers", "--encoder=nowhere"], "no such folder; run `python -m data.fetch`"),
        (["train_vs_peers", "--encoder=nowhere"], "error: nowhere: no such folder; run `python -m data.fetch`"),
        (["train_vs_peers", "--sides=ours"], "allowed: slipway,trainer,trainer_by_length,keras_hub"),
    ],
)
def test_a_mistake_is_said_in_one_line(command, said):
    name, *given = command
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *given], cwd=ROOT, capture_output=True, text=True
    )
    assert said in done.stderr and "Traceback" not in done.stderr and done.returncode in (1, 2)
    if done.stderr.startswith("error: "):
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
