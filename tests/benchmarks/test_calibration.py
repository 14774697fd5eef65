"""benchmarks.calibration over a tiny run: what is served is what is predicted, down to the last digits."""

import json
import subprocess
import sys

import pytest

from tests import tiny_reviews
from tests.commands import ROOT
from tests.trainer.modes.conftest import LEARN


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_served_answers_are_those_of_predict(bert_folder, tmp_path):
    data = tiny_reviews.write_doubtful(tmp_path / "data")
    command = [sys.executable, "-m", "benchmarks.calibration", f"--workdir={tmp_path / 'run'}", "--precisions=0.8,0.9"]
    flags = (f"--data={data}", f"--encoder={bert_folder}", *LEARN)
    done = subprocess.run([*command, "--json", "--", *flags], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for served in (found["served"]["one by one"], found["served"]["in batches"]):
        assert served["texts"] == 120 and 0 < served["abstained"] < 120
        assert max(served["score_difference"], served["probability_difference"]) <= 1e-6
        assert served["other_labels"] == served["other_abstentions"] == 0
    assert list(found["decisions"]) == ["0.8", "0.9"]
    kept = found["decisions"]["0.9"]["abstain"]["test"]
    assert kept["coverage"] == pytest.approx(1 - served["abstained"] / 120) and kept["precision"] > 0.9

    done = subprocess.run(command[:4] + ["--precisions=0.99"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and "120 dev rows cannot show it" in done.stderr
