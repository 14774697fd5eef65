"""benchmarks.client_footprint at its smallest. Times are not judged here: that is the benchmark's own work."""

import json
import pathlib
import subprocess
import sys

import pytest

_ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="reads memory where Linux tells it")
def test_one_run_weighs_the_client_beside_its_base(tmp_path):
    command = [sys.executable, "-m", "benchmarks.client_footprint", "--runs=1", "--stub_runs=0"]
    done = subprocess.run(
        [*command, f"--output={tmp_path / 'figures.json'}"], cwd=_ROOT, capture_output=True, text=True
    )
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    client = figures["sides"]["serving.client"]
    assert not figures["tensorflow loaded by the client"]
    assert 0 < client["megabytes"]["max"] <= client["megabytes after 10,000 texts"]["max"] < 100
    assert set(figures["sides"]) == {"grpc, numpy, google.protobuf", "serving.client"}
    assert done.returncode == (0 if figures["within"] else 1)
    assert "import, client / base" in done.stdout
