"""The SavedModel itself: written by TensorFlow, then completed with what `tf.saved_model.save` cannot say."""

import contextlib
import logging
import os

import keras
import tensorflow as tf
from tensorflow.saved_model.experimental import TrackableResource

from serving import loader
from trainer.export import signatures


def save(folder, task, model, preprocessor):
    """Writes saved_model.pb and variables/ of the task's signatures into `folder`, and returns the proto.

    The module tracks the variables themselves, those that an answer needs. One that merely holds the Keras model saves
    and reloads in Python, but TF Serving's session does not find its variables; and keras.export.ExportArchive writes
    every weight twice.
    """
    # Tables and constants that a tokenizer makes on its first call must exist outside the graphs traced below.
    preprocessor(*[tf.constant(["text"])] * (2 if task.text_pair else 1))
    module = tf.Module()
    module.resources = trackables(preprocessor.tokenizer)
    module.functions = {
        name: tf.function(function, input_signature=specs, autograph=False)
        for name, (function, specs) in signatures.endpoints(task, model, preprocessor).items()
    }
    graphs = [function.get_concrete_function().graph for function in module.functions.values()]
    module.weights = list({id(variable): variable for graph in graphs for variable in graph.variables}.values())
    with quiet():
        tf.saved_model.save(module, str(folder), signatures=dict(module.functions))
    return loader.read_saved_model(folder)


def trackables(tokenizer):
    """Resources (vocabulary tables, SentencePiece models) of a tokenizer, which a SavedModel must track.

    Not the KerasHub layers that own them: to save a layer is to trace every function it has, ten times as long.
    """
    owners = [part for part in vars(tokenizer).values() if isinstance(part, (tf.Module, keras.layers.Layer))]
    parts = [part for owner in owners for part in tf.train.TrackableView(owner).descendants()]
    return [part for part in parts if isinstance(part, TrackableResource)]


def describe_signatures(saved_model):
    """The `signatures` of contract.json: `{name: {method, inputs, outputs}}`, dtypes and shapes as in the graph."""
    definitions = saved_model.meta_graphs[0].signature_def
    names = sorted(name for name in definitions if not name.startswith("__"))
    return {name: _described(name, definitions[name]) for name in names}


def complete(folder, saved_model, contract_text):
    """Rewrites saved_model.pb with the contract in its `contract` signature, and the methods of TF Serving's calls."""
    marks = [value for value in _strings_of(saved_model) if value.string_val[:] == [_MARK]]
    if not marks:
        raise RuntimeError("the contract signature lost its mark while it was saved")
    for value in marks:
        value.string_val[:] = [contract_text.encode()]
    definitions = saved_model.meta_graphs[0].signature_def
    for name, method in signatures.EXAMPLE_METHODS.items():
        if name in definitions:
            definitions[name].method_name = method
    (folder / "saved_model.pb").write_bytes(saved_model.SerializeToString(deterministic=True))
    # It holds hashes of the graph as TensorFlow wrote it, and would now be wrong; no server needs it.
    with contextlib.suppress(FileNotFoundError):
        os.remove(folder / "fingerprint.pb")


_MARK = signatures.CONTRACT_MARK.encode()


def _strings_of(saved_model):
    for node in loader.graph_nodes(saved_model):
        if node.op == "Const" and node.attr["dtype"].type == tf.string.as_datatype_enum:
            yield node.attr["value"].tensor


def _described(name, definition):
    return {
        "method": name if name in signatures.EXAMPLE_METHODS else "predict",
        "inputs": {key: _tensor(info) for key, info in sorted(definition.inputs.items())},
        "outputs": {key: _tensor(info) for key, info in sorted(definition.outputs.items())},
    }


def _tensor(info):
    shape = tf.TensorShape(info.tensor_shape)
    return {"dtype": tf.as_dtype(info.dtype).name, "shape": None if shape.rank is None else shape.as_list()}


@contextlib.contextmanager
def quiet():
    """TensorFlow reports each asset and each unused function of a save; none of it is news."""
    loggers = [tf.get_logger(), logging.getLogger("absl")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
