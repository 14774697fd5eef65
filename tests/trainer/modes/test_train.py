"""The real command: what it prints, what it leaves behind, and what it does the second time."""

import json
import os
import platform
import re
import signal
import time

import pytest

from serving.contract import check_proven
from tests import tiny_reviews
from tests.commands import main_process, run_main, start_main
from trainer import flagfile, flags

LABELS = ["negative", "positive"]


def test_it_ends_well_and_says_only_how_far_it_is(trained):
    """No warning of TensorFlow, Keras or Python reaches the user; --json is one object and nothing else."""
    assert trained.done.code == 0, trained.done.err
    unknown = [line for line in trained.done.err.splitlines() if not re.match(PROGRESS, line)]
    assert unknown == []
    assert trained.done.out.count("\n") == 1
    printed = json.loads(trained.done.out)
    assert printed.pop("workdir") == str(trained.given) and printed == trained.results


PROGRESS = (
    r"((tokenizing|evaluating|embedding) (train|dev|test)|training) \d+/\d+ (texts|steps)  .*(\?|[\d:]+) left$"
    r"|doctor: (error|warning|and \d+ more)"
)


def test_it_leaves_what_the_workdir_promises(trained):
    names = {path.name for path in trained.workdir.iterdir() if path.name != ".lock"}
    assert names == {
        *("flags.txt", "task.json", "manifest.json", "doctor.json"),
        *("results.json", "decisions.json", "predictions.jsonl"),
        *("curve.json", "per_class.json", "report.html", "checkpoints", "tensorboard", "export"),
    }
    files = {path.name for path in (trained.workdir / "checkpoints").iterdir()}
    assert files == {"last.safetensors", "best.safetensors"}
    for name in ("train", "dev", "results"):
        assert list((trained.workdir / "tensorboard" / name).glob("events.out.tfevents.*"))


def test_results(trained):
    results = trained.results
    assert set(results) == {"train", "dev", "test", "decisions", "export"}
    assert results["test"]["accuracy"] > 0.8 and results["dev"]["macro_f1"] > 0.8
    train = results["train"]
    assert (train["steps"], train["planned_steps"]) == (48, 48)
    assert [evaluation["step"] for evaluation in train["evaluations"]] == [12, 24, 36, 48]
    at_best = next(e for e in train["evaluations"] if e["step"] == train["best_step"])
    assert results["dev"]["accuracy"] == at_best["accuracy"]  # the best weights are the ones that are judged
    assert results["dev"]["loss"] == pytest.approx(at_best["loss"], abs=1e-5)


def test_the_version_is_proven(trained):
    version = trained.results["export"]["version_dir"]
    assert check_proven(version)["accepted"]
    contract = json.loads(open(f"{version}/contract.json").read())
    assert contract["labels"] == LABELS and contract["limits"]["tokens"] == 24
    assert "8 dev texts" in trained.results["export"]["proof"]


def test_the_manifest_says_what_ran(trained, reviews):
    manifest = json.loads((trained.workdir / "manifest.json").read_text())
    assert manifest["settings"] == {
        "device": "cpu",
        "replicas": 1,
        "precision": "float32",
        "xla": "optimizer update, activations",
        "batching": "random",
        "unpadded": True,
        "allocator": "keeps memory" if platform.libc_ver()[0] == "glibc" else "system",
    }
    assert manifest["seeds"] == {"run": 3, "split": 0} and manifest["steps"] == 48
    assert manifest["data"]["rows"] == {"train": 96, "dev": 24, "test": 25}
    assert manifest["data"]["fingerprint"].startswith("sha256:") and manifest["data"]["labels"] == LABELS
    assert manifest["encoder"]["name"] == "tiny-bert" and manifest["encoder"]["vocabulary"].startswith("sha256:")
    assert 1 < manifest["shapes"]["distinct"] <= 48 and manifest["shapes"]["widest"] <= 24
    assert 1 <= manifest["shapes"]["compiled"] <= 4  # multiples of 64 tokens
    assert any(package.startswith("tensorflow==") for package in manifest["packages"])


def test_predictions_are_those_of_the_test_rows(trained):
    lines = [json.loads(line) for line in (trained.workdir / "predictions.jsonl").read_text().splitlines()]
    rows = tiny_reviews.rows(25, seed=3)
    assert [(line["row"], line["text"], line["true_label"]) for line in lines] == [
        (i, *row) for i, row in enumerate(rows)
    ]
    for line in lines:
        assert list(line["probabilities"]) == LABELS and abs(sum(line["probabilities"].values()) - 1) < 1e-5
        assert line["score"] == max(line["probabilities"].values()) == line["probabilities"][line["label"]]
    right = sum(line["label"] == line["true_label"] for line in lines)
    assert right / 25 == trained.results["test"]["accuracy"]


def test_its_flags_can_be_given_again(trained):
    config = flags.parse([f"--flagfile={trained.workdir}/flags.txt"])
    assert config.run.workdir == str(trained.given) and not config.run.overwrite and config.run.seed == 3
    assert flagfile.render(config) == (trained.workdir / "flags.txt").read_text()


def test_the_same_command_again_trains_nothing(copied):
    before = {path: path.stat().st_mtime_ns for path in copied.workdir.rglob("*.safetensors")}
    manifest = (copied.workdir / "manifest.json").read_bytes()
    done = run_main(*copied.flags, f"--workdir={copied.workdir}", "--json")
    assert done.code == 0 and "training" not in done.err and "tokenizing train" not in done.err
    assert {path: path.stat().st_mtime_ns for path in copied.workdir.rglob("*.safetensors")} == before
    assert (copied.workdir / "manifest.json").read_bytes() == manifest
    again = json.loads(done.out)
    assert again["train"] == copied.results["train"] and again["export"]["reused"]
    assert len([path for path in (copied.workdir / "export").iterdir() if path.name[0] != "."]) == 1


def test_other_flags_are_refused_by_name(copied):
    done = run_main(*copied.flags, f"--workdir={copied.workdir}", "--learning_rate=2e-2", "--seed=4")
    assert done.code == 2
    assert "--seed=4 (was 3), --learning_rate=0.02 (was 0.01)" in done.error() and "--overwrite" in done.error()


def test_people_get_a_table_and_a_command_in_one_piece(copied, tmp_path):
    workdir = copied.workdir.rename(tmp_path / ("a-workdir-with-a-long-name-" * 3))
    done = run_main(*copied.flags, f"--workdir={workdir}", "--noexport")
    assert done.code == 0
    for shown in (
        "test accuracy",
        "examples/s",
        f"{workdir}/report.html",
        f"tensorboard --logdir {workdir}/tensorboard",
    ):
        assert shown in done.out
    assert "proof" not in done.out


def test_ctrl_c_is_no_error_and_the_run_goes_on(trained, tmp_path):
    command = (*trained.flags, f"--workdir={tmp_path / 'run'}", "--noexport", "--checkpoint_minutes=0")
    with start_main(*command, "--epochs=5000") as process:
        wait_for(tmp_path / "run" / "checkpoints" / "last.safetensors", process)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130 and out == ""
    assert err.splitlines()[-1] == "interrupted" and "Traceback" not in err and "error" not in err


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_at_five_moments_it_ends_as_if_it_had_not_been(trained, tmp_path):
    """SIGKILL wherever it hits: the same command then finishes with the results of an undisturbed run."""
    command = (*trained.flags, f"--workdir={tmp_path / 'run'}", "--checkpoint_minutes=0", "--json")
    marks = (
        "flags.txt",
        "manifest.json",
        "checkpoints/last.safetensors",
        "checkpoints/best.safetensors",
        "results.json",
    )
    for number, mark in enumerate(marks):
        with start_main(*command) as process:
            wait_for(tmp_path / "run" / mark, process)
            time.sleep(0.37 * number)
            process.kill()
    done = main_process(*command)
    assert done.code == 0, done.err
    given, expected = json.loads(done.out), trained.results
    assert given["train"]["evaluations"] == expected["train"]["evaluations"]
    assert {split: given[split] for split in ("dev", "test")} == {split: expected[split] for split in ("dev", "test")}
    assert os.path.basename(given["export"]["version_dir"]) == os.path.basename(expected["export"]["version_dir"])
    assert hidden(tmp_path / "run") == hidden(trained.workdir)


def hidden(folder):
    """Half-written files are hidden; an undisturbed run leaves only its lock and marks of what is whole."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob(".*") if path.name != ".lock"}
