"""A version that is asked with tf.Examples: one graph, and a signature for every way to be right or wrong."""

import pathlib

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

PREDICT, CLASSIFY, REGRESS = (f"tensorflow/serving/{name}" for name in ("predict", "classify", "regress"))
# signature: (method, {its input: the graph's}, {its output: the graph's})
SIGNATURES = {
    "serving_default": (CLASSIFY, {"inputs": "inputs"}, {"classes": "classes", "scores": "scores"}),
    "only_classes": (CLASSIFY, {"inputs": "inputs"}, {"classes": "classes"}),
    "only_scores": (CLASSIFY, {"inputs": "inputs"}, {"scores": "scores", "more": "lengths"}),
    "classify_three": (CLASSIFY, {"inputs": "inputs"}, {"classes": "classes", "scores": "scores", "x": "lengths"}),
    "classify_two_inputs": (CLASSIFY, {"inputs": "inputs", "more": "inputs"}, {"classes": "classes"}),
    "classify_text": (CLASSIFY, {"text": "inputs"}, {"classes": "classes"}),
    "classify_other": (CLASSIFY, {"inputs": "inputs"}, {"label": "classes"}),
    "classes_flat": (CLASSIFY, {"inputs": "inputs"}, {"classes": "texts"}),
    "classes_scalar": (CLASSIFY, {"inputs": "inputs"}, {"classes": "name"}),
    "classes_float": (CLASSIFY, {"inputs": "inputs"}, {"classes": "scores"}),
    "classes_more": (CLASSIFY, {"inputs": "inputs"}, {"classes": "classes_twice"}),
    "scores_flat": (CLASSIFY, {"inputs": "inputs"}, {"scores": "lengths"}),
    "scores_double": (CLASSIFY, {"inputs": "inputs"}, {"scores": "doubles"}),
    "scores_more": (CLASSIFY, {"inputs": "inputs"}, {"scores": "scores_twice"}),
    "widths_differ": (CLASSIFY, {"inputs": "inputs"}, {"classes": "classes", "scores": "column"}),
    "classify_floats": (CLASSIFY, {"inputs": "floats"}, {"scores": "float_scores"}),
    "regress": (REGRESS, {"inputs": "inputs"}, {"outputs": "lengths"}),
    "regress_column": (REGRESS, {"inputs": "inputs"}, {"outputs": "column"}),
    "regress_wide": (REGRESS, {"inputs": "inputs"}, {"outputs": "scores"}),
    "regress_scalar": (REGRESS, {"inputs": "inputs"}, {"outputs": "total"}),
    "regress_more": (REGRESS, {"inputs": "inputs"}, {"outputs": "lengths_twice"}),
    "regress_texts": (REGRESS, {"inputs": "inputs"}, {"outputs": "texts"}),
    "regress_two": (REGRESS, {"inputs": "inputs"}, {"outputs": "lengths", "more": "column"}),
    "regress_two_inputs": (REGRESS, {"inputs": "inputs", "more": "inputs"}, {"outputs": "lengths"}),
    "regress_text": (REGRESS, {"text": "inputs"}, {"outputs": "lengths"}),
    "regress_other": (REGRESS, {"inputs": "inputs"}, {"value": "lengths"}),
    "regress_floats": (REGRESS, {"inputs": "floats"}, {"outputs": "float_value"}),
    "predict": (PREDICT, {"inputs": "inputs"}, {"outputs": "lengths"}),
}


def example_version(folder):
    """Saves the version; gives its folder. Every text is `short` or `long`, its scores are [1, its length + extra]."""
    graph = {"strings": _of_examples, "floats": _of_floats}
    tf.saved_model.save(tf.Module(), str(folder), signatures=graph)
    path = pathlib.Path(folder) / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    _carve(saved.meta_graphs[0].signature_def)
    path.write_bytes(saved.SerializeToString())
    return pathlib.Path(folder)


def example(text=None, **features):
    """A tf.Example; str becomes a bytes feature, float a float feature."""
    made = tf.train.Example()
    named = features if text is None else {"text": text, **features}
    for name, value in named.items():
        if isinstance(value, str):
            made.features.feature[name].bytes_list.value.append(value.encode())
        else:
            made.features.feature[name].float_list.value.append(value)
    return made


@tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
def _of_examples(inputs):
    schema = {"text": tf.io.FixedLenFeature([], tf.string), "extra": tf.io.FixedLenFeature([], tf.float32, 0.0)}
    features = tf.io.parse_example(inputs, schema)
    lengths = tf.cast(tf.strings.length(features["text"]), tf.float32) + features["extra"]
    scores = tf.stack([tf.ones_like(lengths), lengths], axis=1)
    classes = tf.tile(tf.constant([["short", "long"]]), [tf.size(lengths), 1])
    return {
        "texts": features["text"],
        "name": tf.constant("short"),
        "lengths": lengths,
        "total": tf.reduce_sum(lengths),
        "column": lengths[:, tf.newaxis],
        "lengths_twice": tf.concat([lengths, lengths], axis=0),
        "scores": scores,
        "doubles": tf.cast(scores, tf.float64),
        "scores_twice": tf.concat([scores, scores], axis=0),
        "classes": classes,
        "classes_twice": tf.concat([classes, classes], axis=0),
    }


@tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="floats")])
def _of_floats(floats):
    return {"float_scores": floats[:, tf.newaxis], "float_value": floats + 0.0}


def _carve(definitions):
    """Puts SIGNATURES in the place of the two that hold every tensor, so that many share one input."""
    inputs, outputs = {}, {}
    for name in ("strings", "floats"):
        whole = definitions.pop(name)
        inputs |= whole.inputs
        outputs |= whole.outputs
    for name, (method, fed, fetched) in SIGNATURES.items():
        definitions[name].method_name = method
        for alias, whole_name in fed.items():
            definitions[name].inputs[alias].CopyFrom(inputs[whole_name])
        for alias, whole_name in fetched.items():
            definitions[name].outputs[alias].CopyFrom(outputs[whole_name])
