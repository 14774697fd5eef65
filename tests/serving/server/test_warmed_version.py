"""Warm-up is answered as requests are, and what spoils it has the status that the real server gives it."""

import shutil

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.contract import WARMUP_FILE
from serving.server.status import status_of
from serving.server.warmed_version import WarmedVersion
from tests.serving.server.example_version import CLASSIFY, REGRESS, example, example_version
from tests.serving.server.running import predict_request


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return example_version(tmp_path_factory.mktemp("warm") / "1")


@pytest.fixture
def version(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "1")


def examples_log(kind, signature=""):
    log = prediction_log_pb2.PredictionLog()
    request = getattr(log, kind).request
    request.model_spec.signature_name = signature
    request.input.example_list.examples.add().CopyFrom(example("good"))
    return log


def both():
    log = prediction_log_pb2.PredictionLog()
    request = log.multi_inference_log.request
    for signature, method in (("regress", REGRESS), ("serving_default", CLASSIFY)):
        task = request.tasks.add(method_name=method)
        task.model_spec.name, task.model_spec.signature_name = "any", signature
    request.input.example_list.examples.add().CopyFrom(example("good"))
    return log


def predict_log(name="inputs"):
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(predict_request([example("good").SerializeToString()], signature="predict"))
    log.predict_log.request.inputs[name].CopyFrom(log.predict_log.request.inputs.pop("text"))
    return log


def write(version, *records):
    path = version / WARMUP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record if isinstance(record, bytes) else record.SerializeToString())


def test_every_kind_of_request_is_answered(version):
    logs = [examples_log("classify_log"), examples_log("regress_log", "regress"), both(), predict_log()]
    with WarmedVersion(version) as served:
        assert served.replay_warmup() == 0
        write(version, *logs, prediction_log_pb2.PredictionLog())
        assert served.replay_warmup() == 5


def session_run():
    log = prediction_log_pb2.PredictionLog()
    log.session_run_log.SetInParent()
    return log


@pytest.mark.parametrize(
    ("records", "code", "said"),
    [
        ([b"\xff\xff"], "INVALID_ARGUMENT", "Failed to parse warmup record: "),
        ([predict_log("words")], "INVALID_ARGUMENT", "not found in request"),
        ([examples_log("classify_log", "none")], "INVALID_ARGUMENT", "No signature was found with the name: none"),
        ([session_run()], "UNIMPLEMENTED", "Unsupported log_type for warmup: 5"),
        ([b""] * 1001, "INVALID_ARGUMENT", "Number of warmup records exceeds the maximum (1000) at "),
    ],
)
def test_what_cannot_be_answered_spoils_it(version, records, code, said):
    write(version, *records)
    with WarmedVersion(version) as served, pytest.raises(Exception) as spoiled:
        served.replay_warmup()
    status = status_of(spoiled.value)
    assert status.code == grpc.StatusCode[code] and said in status.message


def test_a_file_that_holds_no_records_says_so(version):
    (version / WARMUP_FILE).parent.mkdir(exist_ok=True)
    (version / WARMUP_FILE).write_bytes(b"no records at all")
    with WarmedVersion(version) as served, pytest.raises(Exception) as spoiled:
        served.replay_warmup()
    status = status_of(spoiled.value)
    assert status.code == grpc.StatusCode.DATA_LOSS
    assert status.message.endswith(". Please verify your warmup data is in TFRecord format.")
