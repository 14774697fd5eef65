"""Two devices learn what one learns."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.commands import ROOT

pytestmark = pytest.mark.slow


def run_on(count, folder, workdir):
    command = [sys.executable, "-m", "tests.trainer.loop.on_devices", str(count), str(folder), str(workdir)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_two_devices_and_one(bert_folder, tmp_path):
    one, two = (run_on(count, bert_folder, tmp_path / str(count)) for count in (1, 2))
    assert (one["replicas"], two["replicas"]) == (1, 2)
    assert one["examples"] == two["examples"] == 176
    for a, b in zip(one["evaluations"], two["evaluations"], strict=True):
        assert a["step"] == b["step"] and a["loss"] == pytest.approx(b["loss"], abs=1e-4)
    for a, b in zip(one["curve"], two["curve"], strict=True):
        assert a["step"] == b["step"] and a["gradient_norm"] == pytest.approx(b["gradient_norm"], rel=1e-2)
    assert len(two["logits"]) == 25  # 3 whole batches and one row
    assert one["evaluations"][-1]["loss"] < one["evaluations"][0]["loss"]
    np.testing.assert_allclose(one["logits"], two["logits"], atol=1e-2)
