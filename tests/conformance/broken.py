"""Versions that cannot be loaded, each for one reason, and a few that look so and can; all from one of zoo.py."""

import shutil

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tests.conformance import zoo
from tests.conformance.requests import predict

_WARMUP = "assets.extra/tf_serving_warmup_requests"
_ONE = np.float32([1.0])


def cut_short(version):
    path = version / "saved_model.pb"
    path.write_bytes(path.read_bytes()[:-7])


def without_graph(version):
    (version / "saved_model.pb").unlink()


def without_tag(version):
    zoo.edit(version, lambda proto: proto.meta_graphs[0].meta_info_def.tags.pop())


def with_missing_op(version):
    zoo.edit(version, lambda proto: proto.meta_graphs[0].graph_def.node.add(name="missing", op=zoo.MISSING_OP))


def without_data(version):
    (version / "variables/variables.data-00000-of-00001").unlink()


def without_variables(version):
    shutil.rmtree(version / "variables")


def with_empty_folder(version):
    shutil.rmtree(version)
    version.mkdir()


def warmed_by(*records):
    """What writes these records, PredictionLogs or bytes, as the version's warm-up."""

    def write(version):
        path = version / _WARMUP
        path.parent.mkdir(exist_ok=True)
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(record if isinstance(record, bytes) else record.SerializeToString())

    return write


def warmed_by_no_records(version):
    path = version / _WARMUP
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"this is no file of records, and it is long enough for one")


def predict_log(signature="", **inputs):
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(predict("any", signature, **inputs))
    return log


def session_log():
    log = prediction_log_pb2.PredictionLog()
    log.session_run_log.SetInParent()
    return log


def good_log():
    return predict_log(x=_ONE)
