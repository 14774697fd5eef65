"""The frame of the paired benchmarks: turns, ratios, skipped sides, and one line for a worker that fails."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks import paired
from benchmarks.worker import ROOT, Side, Skipped, Worker, WorkerFailed

WORKER = """
import sys
from benchmarks.peers.answering import answer, timed
calls = 0
def prepare():
    {at_start}
    print("noise of a library")
    def reply_to(request):
        global calls
        calls += 1
        {at_request}
        return {{"seconds": [{seconds} * request["size"] * calls], "call": calls}}
    return reply_to
answer(prepare, ["pip"])
"""
BENCHMARK = """
import sys
from absl import app, flags
from benchmarks import paired
from benchmarks.worker import Side
paired.define_flags(rounds=2)
def compare():
    ours, peer, missing = flags.FLAGS.workers
    sides = [Side("ours", (sys.executable, ours), ours=True), Side("peer", (sys.executable, peer))]
    sides.append(Side("absent", (missing,)))
    measured = paired.measure(sides, {"small": {"size": 1}, "large": {"size": 10}}, flags.FLAGS.rounds)
    paired.report("fake", "a fake benchmark", measured, notes=["a note"])
flags.DEFINE_list("workers", [], "Programs of the workers.")
if __name__ == "__main__":
    app.run(paired.command(compare))
"""


@pytest.fixture(autouse=True)
def found_from_anywhere(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def worker(folder, seconds=0.001, at_start="pass", at_request="pass"):
    path = folder / f"worker_{len(list(folder.iterdir()))}.py"
    path.write_text(WORKER.format(seconds=seconds, at_start=at_start, at_request=at_request))
    return path


def side(path, name="peer", **more):
    return Side(name, (sys.executable, path), **more)


def run_benchmark(folder, *workers):
    script = folder / "fake_benchmark.py"
    script.write_text(BENCHMARK)
    given = ",".join(map(str, workers))
    return subprocess.run(
        [sys.executable, script, f"--output={folder / 'out'}", f"--workers={given}"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_ratios_are_taken_round_by_round():
    assert paired.ratios([1.0, 2.0, 4.0], [2.0, 2.0, 2.0]) == [2.0, 1.0, 0.5]
    assert paired.spread([2.0, 1.0, 0.5]) == {"median": 1.0, "min": 0.5, "max": 2.0}
    with pytest.raises(ValueError):
        paired.ratios([1.0], [1.0, 2.0])


def test_summary_compares_every_side_with_each_of_ours():
    turns = {
        "case": {
            "ours": [{"seconds": [1.0, 9.0, 2.0]}, {"seconds": [4.0]}],
            "ours too": [{"seconds": [1.0]}, {"seconds": [1.0]}],
            "peer": [{"seconds": [4.0]}, {"seconds": [4.0]}],
        }
    }
    found = paired.summarise(turns, ["ours", "ours too"])["case"]
    assert found["ours"]["seconds"] == {"median": 3.0, "min": 2.0, "max": 4.0}
    assert found["peer"]["ratios"]["ours"] == {"median": 1.5, "min": 1.0, "max": 2.0}
    assert found["peer"]["ratios"]["ours too"]["median"] == 4.0
    assert set(found["ours"]["ratios"]) == {"ours too"}
    assert found["peer"]["p99"] is None


def test_p99_is_of_all_single_seconds_where_there_are_a_hundred():
    replies = [{"seconds": [0.001] * 99}, {"seconds": [0.001] * 99 + [1.0, 1.0]}]
    few, many = (
        paired.summarise({"one text": {"ours": some}}, [])["one text"]["ours"] for some in (replies[:1], replies)
    )
    assert few["p99"] is None
    assert 0.9 < many["p99"] <= 1.0 and many["seconds"]["median"] == 0.001


def test_sides_take_turns_and_the_first_round_does_not_count(tmp_path, capfd):
    sides = [side(worker(tmp_path), "a", ours=True), side(worker(tmp_path, seconds=0.003), "b")]
    measured = paired.measure(sides, {"small": {"size": 1}}, rounds=2)
    assert [reply["call"] for reply in measured.turns["small"]["a"]] == [2, 3]
    assert paired.summarise(measured.turns, measured.ours)["small"]["b"]["ratios"]["a"]["median"] == pytest.approx(3)
    said = [line.rpartition(": ")[2] for line in capfd.readouterr().err.splitlines()]
    assert said == ["a", "b"] * 3
    assert measured.ours == ["a"] and set(measured.versions["b"]) == {"pip"} and measured.skipped == {}


def test_a_side_without_its_environment_is_skipped_with_the_reason(tmp_path):
    with pytest.raises(Skipped, match="nowhere/python is not there"):
        Worker(Side("peer", ("nowhere/python", "-m", "peer")))
    with pytest.raises(Skipped, match="No module named 'no_such_package'"):
        Worker(side(worker(tmp_path, at_start="import no_such_package")))


@pytest.mark.parametrize(
    "fault, said",
    [
        ({"at_start": "raise ValueError('bad\\nworse')"}, "peer: ValueError: bad"),
        ({"at_request": "raise OSError()"}, "peer: OSError: no message"),
        ({"at_request": "sys.exit('the last words')"}, "peer: ended with exit code 1: the last words"),
        ({"at_request": "import os; os._exit(9)"}, "peer: ended with exit code 9: noise of a library"),
    ],
)
def test_a_worker_that_fails_is_one_line(tmp_path, fault, said):
    with pytest.raises(WorkerFailed) as failed, Worker(side(worker(tmp_path, **fault))) as running:
        running.ask({"size": 1})
    assert str(failed.value) == said


def test_a_benchmark_prints_a_table_and_keeps_json_and_picture(tmp_path):
    done = run_benchmark(tmp_path, worker(tmp_path, 0.001), worker(tmp_path, 0.002), "nowhere/python")
    assert done.returncode == 0, done.stderr
    for told in ("a fake benchmark", "ours: × as fast", "2.00 (2.00–2.00)", "a note", "cores", "load", "pip"):
        assert told in done.stdout
    assert "skipped: absent: nowhere/python is not there (make bench)" in done.stdout
    kept = json.loads((tmp_path / "out/fake.json").read_text())
    assert len(kept["turns"]["large"]["peer"]) == 2 and kept["skipped"].keys() == {"absent"}
    assert (tmp_path / "out/fake.png").read_bytes().startswith(b"\x89PNG")


def test_a_benchmark_with_a_failing_worker_ends_with_one_line(tmp_path):
    failing = worker(tmp_path, at_request="raise ValueError('no such shape')")
    done = run_benchmark(tmp_path, worker(tmp_path), failing, "nowhere/python")
    assert done.returncode == 1 and done.stdout == ""
    errors = [line for line in done.stderr.splitlines() if "round" not in line]
    assert errors == ["error: peer: ValueError: no such shape"]
