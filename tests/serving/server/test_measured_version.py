import pytest

from serving.server.measured_version import measured
from serving.server.metrics import Metrics, answering


class Version:
    """Answers as a ServedVersion would."""

    signatures = {"a": 1}

    def __init__(self, folder, records=2):
        if folder == "bad":
            raise ValueError("no graph")
        self.records = records

    def answer(self, signature_name, inputs, outputs):
        return {signature_name: inputs, "wanted": outputs}

    def run_tensors(self, feeds, names):
        return names

    def replay_warmup(self):
        if self.records is None:
            raise ValueError("record 1")
        return self.records


def counts(metrics):
    lines = [line.rpartition(" ") for line in metrics.page().splitlines() if line[0] != "#" and "_bucket" not in line]
    return {name: number for name, _, number in lines if "_sum" not in name and "load_latency" not in name}


def test_it_is_the_version_and_counts_what_it_does():
    metrics = Metrics()
    version = measured(Version, metrics)("folder")
    assert version.signatures == {"a": 1} and version.replay_warmup() == 2
    assert version.answer("a", 1, ["y"]) == {"a": 1, "wanted": ["y"]}  # for nobody's request: not counted
    with answering("m", "Classify"):
        version.run_tensors({"x": [b"1", b"2"]}, ["y"])
        version.answer("a", 1, ["y"])
    assert counts(metrics) == {
        ':tensorflow:cc:saved_model:load_attempt_count{model_path="folder",status="success"}': "1",
        ':tensorflow:serving:model_warmup_latency_count{model_path="folder",status="OK"}': "1",
        ':tensorflow:serving:request_example_count_total{model="m"}': "2",
        ':tensorflow:serving:request_example_counts_count{model="m"}': "1",
        ':tensorflow:serving:runtime_latency_count{model_name="m",API="Classify",runtime="TF1"}': "2",
    }


def test_failures_are_counted_and_stay_failures():
    metrics = Metrics()
    with pytest.raises(ValueError, match="no graph"):
        measured(Version, metrics)("bad")
    with pytest.raises(ValueError, match="record 1"):
        measured(lambda folder: Version(folder, None), metrics)("cold").replay_warmup()
    assert measured(lambda folder: Version(folder, 0), metrics)("unwarmed").replay_warmup() == 0
    found = counts(metrics)
    assert found[':tensorflow:cc:saved_model:load_attempt_count{model_path="bad",status="fail"}'] == "1"
    assert found[':tensorflow:serving:model_warmup_latency_count{model_path="cold",status="INVALID_ARGUMENT"}'] == "1"
    assert not any("warmup" in name and "unwarmed" in name for name in found)
