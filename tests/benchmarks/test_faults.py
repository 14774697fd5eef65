"""The benchmarks of a server under fire: their arithmetic, and each of them in a tiny form."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import two_versions
from benchmarks.callers import Calls
from benchmarks.worker import ROOT
from serving.client import Classification
from tests import tiny_reviews
from tests.benchmarks.test_costs import imported

pytestmark = pytest.mark.timeout(600)


def classification(negative):
    return Classification("a", negative, {"a": negative, "b": 1 - negative}, False, False)


def test_an_answer_is_known_by_its_version():
    told = two_versions.Answers(["good", "bad"], np.float32([[0.1, 0.2], [0.7, 0.2]]))
    assert [told.which(0, classification(p)) for p in (0.1, 0.7, 0.4)] == [0, 1, None]
    assert told.which(0, classification(0.7001)) is None


def test_percentiles_are_of_the_answered_calls():
    calls = Calls(seconds=[number / 1000 for number in range(1, 1001)])
    assert calls.percentile(0.5) == pytest.approx(500, abs=1) and calls.percentile(0.99) == pytest.approx(990, abs=1)


@pytest.mark.slow
def test_a_failure_counts_as_of_the_kill_only_while_the_server_was_away():
    evaluate = imported("crashes")
    away = "[(10.0, 15.0)]"
    assert evaluate(f"[was_away((start, 0.5, None), {away}) for start in (9.0, 9.8, 12.0, 17.0, 18.0)]") == [
        False,
        True,
        True,
        True,
        False,
    ]


@pytest.mark.slow
def test_an_overload_is_judged_by_what_was_accepted_and_refused():
    evaluate = imported("overload")
    found = evaluate(
        "(FLAGS(['overload']), figures(Seen({OK: [0.01]}), 300.0, Seen({OK: [0.02, 0.03], UNAVAILABLE: [0.001]}), "
        "Seen({OK: [0.01]}), 0.2) | {'rss_before_mb': 900, 'rss_after_mb': 960})[1]".replace(
            "OK", "grpc.StatusCode.OK"
        ).replace("UNAVAILABLE", "grpc.StatusCode.UNAVAILABLE")
    )
    assert (found["accepted"], found["refused"], found["others"]) == (2, 1, {})
    assert found["bound_seconds"] == pytest.approx(0.1) and found["accepted_p99"] == 0.03
    assert list(evaluate(f"claims({found})").values()) == [True, True, False, True]


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """--version_dirs of two versions of the benchmarks' own making, and the file of texts."""
    folder = tmp_path_factory.mktemp("faults")
    texts = folder / "texts.txt"
    texts.write_text("\n".join(text for text, _ in tiny_reviews.rows(300, seed=1)), encoding="utf-8")
    code = (
        "import shutil, sys; from absl import app; from benchmarks import real_text, two_versions; "
        "real_text.define_flags(); two_versions.define_flags()\n"
        "def main(arguments):\n"
        "    with two_versions.versions() as made:\n"
        "        for number, version in enumerate(made): shutil.copytree(version, f'{arguments[1]}/{number}')\n"
        "app.run(main)"
    )
    done = subprocess.run([sys.executable, "-c", code, f"--text_file={texts}", folder], cwd=ROOT)
    assert done.returncode == 0
    return f"--version_dirs={folder / '0'},{folder / '1'}", f"--text_file={texts}"


def run(name, output, *flags):
    """The JSON object that a benchmark prints."""
    words = [sys.executable, "-m", f"benchmarks.{name}", f"--output={output}", "--json", *flags]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0
    assert (output / f"{name}.png").stat().st_size > 10_000
    return json.loads(done.stdout)


@pytest.mark.slow
def test_swaps(versions, tmp_path):
    found = run(
        "swaps", tmp_path, *versions, "--callers=8", "--seconds=10", "--swaps=3", "--corrupt=1", "--deadline=60"
    )
    assert all(found["met"].values()), found


@pytest.mark.slow
def test_crashes(versions, tmp_path):
    small = ("--callers=4", "--kills=1", "--between=1", "--away=0.5", "--deadline=60")
    found = run("crashes", tmp_path, *versions, *small)
    assert all(found["met"].values()), found
    assert int(found["figures"]["one target, killed"]["failed"]) > 0


@pytest.mark.slow
def test_overload(versions, tmp_path):
    found = run("overload", tmp_path, *versions, "--seconds=2", "--texts=16", "--deadline=60", "--times=6")
    assert found["figures"]["refused"] > 0 and found["figures"]["accepted"] > 0 and not found["figures"]["others"]


@pytest.mark.slow
def test_served_throughput(versions, tmp_path):
    version = versions[0].partition("=")[2].partition(",")[0]
    small = ("--rounds=1", "--batches=2", "--texts=4")
    found = run("served_throughput", tmp_path, f"--version_dir={version}", versions[1], *small)
    assert found["figures"]["served / loaded"]["median"] > 0
