"""Requests that TF Serving replays before it serves a version.

With them an op that is missing inside a function makes the load fail, and the old version goes on serving; without
them the new version counts as AVAILABLE and every request fails.
"""

import pathlib

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.contract import WARMUP_FILE
from trainer.export.signatures import CONTRACT_KEY

_WORDS = ((1,), (12,), (40,), (1, 4, 12, 40, 400), (8,) * 16)  # words of each row, one line per request


def write(version_dir, contract):
    """Writes the warm-up file: requests for every signature, short to overlong texts, one row to sixteen."""
    path = pathlib.Path(version_dir) / WARMUP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name in contract["signatures"]:
            for log in _logs(contract, name):
                log_spec = _request(log).model_spec
                log_spec.name, log_spec.signature_name = contract["model_name"], name
                writer.write(log.SerializeToString())


def _logs(contract, name):
    text_names = sorted(contract["signatures"]["serving_default"]["inputs"])
    if name == "contract":
        return [_predict({"key": [CONTRACT_KEY]})]
    requests = [{key: [b"warm up" + b" word" * words for words in rows] for key in text_names} for rows in _WORDS]
    method = contract["signatures"][name]["method"]
    return [_predict(inputs) if method == "predict" else _by_example(method, inputs) for inputs in requests]


def _predict(inputs):
    log = prediction_log_pb2.PredictionLog()
    for name, values in inputs.items():
        log.predict_log.request.inputs[name].CopyFrom(tf.make_tensor_proto(values, tf.string))
    return log


def _by_example(method, inputs):
    log = prediction_log_pb2.PredictionLog()
    getattr(log, f"{method}_log").request.input.example_list.examples.extend(examples(inputs))
    return log


def examples(inputs):
    """`{feature: [bytes, …]}` to a list of tf.Example, one per row."""
    rows = [dict(zip(inputs, values, strict=True)) for values in zip(*inputs.values(), strict=True)]
    return [
        tf.train.Example(features=tf.train.Features(feature={k: _bytes(v) for k, v in row.items()})) for row in rows
    ]


def _bytes(value):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _request(log):
    return getattr(log, log.WhichOneof("log_type")).request
