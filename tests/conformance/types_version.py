"""A version with a signature for every dtype that a request may have, and for what batches and defaults do."""

import pathlib

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

DTYPES = (
    tf.float32,
    tf.float64,
    tf.float16,
    tf.bfloat16,
    tf.int8,
    tf.int16,
    tf.int32,
    tf.int64,
    tf.uint8,
    tf.uint16,
    tf.uint32,
    tf.uint64,
    tf.bool,
    tf.string,
)


def types_version(folder):
    """Saves the version; gives its folder. `echo_<dtype>` gives `x` back as `y`, of any shape."""
    signatures = {f"echo_{dtype.name}": _echo(dtype) for dtype in DTYPES}
    signatures |= {"two": _two, "scalar": _scalar, "fails": _fails, "filled": _filled, "image_bytes": _bytes}
    tf.saved_model.save(tf.Module(), str(folder), signatures=signatures)
    path = pathlib.Path(folder) / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    filled = saved.meta_graphs[0].signature_def["filled"]
    filled.defaults["more"].CopyFrom(tf.make_tensor_proto([10.0]))
    path.write_bytes(saved.SerializeToString())
    return pathlib.Path(folder)


def _echo(dtype):
    @tf.function(input_signature=[tf.TensorSpec(None, dtype, name="x")])
    def echo(x):
        return {"y": tf.identity(x)}

    return echo


@tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name=name) for name in ("a", "b")])
def _two(a, b):
    return {"sum": a + b, "difference": a - b}


@tf.function(input_signature=[tf.TensorSpec([], tf.float32, name="x")])
def _scalar(x):
    return {"y": x / 2 + 2}


@tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
def _fails(text):
    return {"number": tf.strings.to_number(text)}


@tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name=name) for name in ("x", "more")])
def _filled(x, more):
    return {"y": x + more}


@tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
def _bytes(image_bytes):
    return {"out_bytes": tf.identity(image_bytes), "size": tf.strings.length(image_bytes)}
