"""The models that the suite asks, built with TensorFlow alone: one folder each, with its versions below.

echo/1      a signature for every dtype and for every way to be asked wrongly
examples/3  Classify, Regress and MultiInference (tests/serving/server/example_version.py)
reviews/1   text to label, score and probabilities, as Slipway makes it (tests/serving/tiny_version.py)
numbered/N  y = x + 10 · N, from a variable: which version has answered
"""

import pathlib
import shutil

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tests.serving.server.example_version import example_version
from tests.serving.tiny_version import real_version

NUMBERS = (1, 2, 3)
_FLOATS, _WHOLE = "float32 float64 float16 bfloat16", "int8 int16 int32 int64 uint8 uint16 uint32 uint64"
DTYPES = {name: tf.as_dtype(name) for name in f"{_FLOATS} {_WHOLE} bool string complex64 complex128".split()}
ODD_METHOD = "somebody/elses/method"
MISSING_OP = "NoServerHasThisOp"


def build(folder):
    """Saves every model below the folder."""
    _echo(folder / "echo" / "1")
    example_version(folder / "examples" / "3")
    real_version(folder / "reviews" / "1", bias=-1.0)
    for number in NUMBERS:
        _numbered(folder / "numbered" / str(number), number)


def copy(source, target):
    """Puts a version in its place, whole at once, as it is published."""
    target = pathlib.Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = shutil.copytree(source, target.parent / f".staging-{target.name}")
    return staged.rename(target)


def edit(version, change):
    """Changes the SavedModel proto of a version: change(proto)."""
    path = pathlib.Path(version) / "saved_model.pb"
    proto = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    change(proto)
    path.write_bytes(proto.SerializeToString())


def _spec(dtype, shape=(None,), name="x"):
    return tf.TensorSpec(shape, dtype, name=name)


def _numbered(folder, number):
    module = tf.Module()
    module.step = tf.Variable(10.0 * number)
    module.function = tf.function(lambda x: {"y": x + module.step}, input_signature=[_spec(tf.float32)])
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.function})


def _echo(folder):
    module = tf.Module()
    module.functions = {
        "serving_default": tf.function(_text, input_signature=[_spec(tf.string, name="text")]),
        "matrix": tf.function(_matrix, input_signature=[_spec(tf.float32, [None, 3])]),
        "two": tf.function(_two, input_signature=[_spec(tf.float32, name="a"), _spec(tf.float32, name="b")]),
        "defaulted": tf.function(_two, input_signature=[_spec(tf.float32, name="a"), _spec(tf.float32, name="b")]),
        "scalar": tf.function(lambda x: {"total": tf.reduce_sum(x)}, input_signature=[_spec(tf.float32)]),
        "number": tf.function(_number, input_signature=[_spec(tf.string, name="text")]),
        "long": tf.function(_long, input_signature=[_spec(tf.int32)]),
        "spin": tf.function(_spin, input_signature=[_spec(tf.int64)]),
        "batch": tf.function(_batch, input_signature=[_spec(tf.float32)]),
        "uneven": tf.function(lambda x: {"all": x + 0.0, "one": x[:1]}, input_signature=[_spec(tf.float32)]),
        "to_uint16": tf.function(lambda x: {"y": tf.cast(x, tf.uint16)}, input_signature=[_spec(tf.float32)]),
        "to_complex64": tf.function(lambda x: {"y": tf.cast(x, tf.complex64)}, input_signature=[_spec(tf.float32)]),
        "image": tf.function(_image, input_signature=[_spec(tf.string, name="image_bytes")]),
        "compiled": tf.function(_compiled, input_signature=[_spec(tf.float32)]),
        "odd_method": tf.function(lambda x: {"y": x + 1.0}, input_signature=[_spec(tf.float32)]),
        **{f"of_{name}": tf.function(_same, input_signature=[_spec(each)]) for name, each in DTYPES.items()},
    }
    tf.saved_model.save(module, str(folder), signatures=module.functions)
    edit(folder, _edit_signatures)


def _edit_signatures(proto):
    signatures = proto.meta_graphs[0].signature_def
    signatures["odd_method"].method_name = ODD_METHOD
    signatures["defaulted"].defaults["b"].CopyFrom(tf.make_tensor_proto([0.5, 1.5], tf.float32))


def _text(text):
    return {"text": tf.identity(text), "length": tf.strings.length(text)}


def _matrix(x):
    return {"y": tf.matmul(x, tf.ones([3, 2]))}


def _two(a, b):
    return {"sum": a + b, "difference": a - b}


def _same(x):
    return {"x": tf.identity(x)}


def _number(text):
    return {"value": tf.strings.to_number(text, tf.float32)}


def _long(x):
    """A text of x[0] letters."""
    return {"text": tf.reshape(tf.strings.reduce_join(tf.fill([x[0]], "x")), [1])}


def _spin(x):
    """Counts to x[0], perhaps 100,000 a second: a request that lasts."""
    counted = tf.while_loop(lambda i: i < x[0], lambda i: [i + 1], [tf.constant(0, tf.int64)])[0]
    return {"count": tf.reshape(counted, [1])}


def _batch(x):
    """In each row, what has run with it: how many rows, and their sum."""
    return {"rows": tf.fill(tf.shape(x), tf.size(x)), "sum": tf.fill(tf.shape(x), tf.reduce_sum(x))}


def _image(image_bytes):
    return {"out_bytes": tf.identity(image_bytes), "size": tf.strings.length(image_bytes)}


@tf.function(jit_compile=True)
def _compiled_part(x):
    return x * 3.0


def _compiled(x):
    return {"y": _compiled_part(x)}
