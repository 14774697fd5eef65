"""What a classification signature must be like, and its tensors as a ClassificationResult.

Source: PreProcessClassification and PostProcessClassificationResult in
tensorflow_serving/servables/tensorflow/classifier.cc.
"""

import numpy as np
import tensorflow as tf

from serving.server import tensors
from serving.server.status import invalid

NOUN = "classification"
METHOD = tf.saved_model.CLASSIFY_METHOD_NAME
_INPUTS = tf.saved_model.CLASSIFY_INPUTS
_CLASSES = tf.saved_model.CLASSIFY_OUTPUT_CLASSES
_SCORES = tf.saved_model.CLASSIFY_OUTPUT_SCORES


def ends(signature):
    """(TensorInfo to feed, names of the tensors to fetch) of a signature with one input, else INVALID_ARGUMENT."""
    if len(signature.outputs) not in (1, 2):
        raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    if _INPUTS not in signature.inputs:
        raise invalid(f"No classification inputs found in SignatureDef: {signature}")
    fetches = [signature.outputs[alias].name for alias in (_CLASSES, _SCORES) if alias in signature.outputs]
    if not fetches:
        raise invalid(
            f'Expected classification signature outputs to contain at least one of "{_CLASSES}" or "{_SCORES}". '
            f"Signature was: {signature}"
        )
    return signature.inputs[_INPUTS], fetches


def fill(result, signature, count, arrays):
    """Fills a ClassificationResult for `count` examples from `{tensor name: array}`, each `[count, classes]`."""
    classes = _checked(_CLASSES, "DT_STRING", signature, count, arrays)
    scores = _checked(_SCORES, "DT_FLOAT", signature, count, arrays)
    if classes and scores and len(classes[0]) != len(scores[0]):
        widths = f"{len(classes[0])} vs. {len(scores[0])}"
        raise invalid(f"Tensors class and score should match in dim_size(1). Got {widths}")
    for row in range(count):
        _fill_row(result.classifications.add().classes, classes and classes[row], scores and scores[row])


def _checked(alias, dtype, signature, count, arrays):
    """The output as a list of rows; None where the signature has none of that name."""
    if alias not in signature.outputs:
        return None
    array = arrays[signature.outputs[alias].name]
    if np.ndim(array) != 2:  # a scalar string is bare bytes
        raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {tensors.shape_text(array)}")
    if tensors.dtype_text(array) != dtype:
        raise invalid(f"Expected {alias} Tensor of {dtype}. Got: {tensors.dtype_text(array)}")
    if len(array) != count:
        raise invalid(f"Expected {alias} output batch size of {count}. Got: {len(array)}")
    return array.tolist()


def _fill_row(filled, classes, scores):
    for column in range(len(scores if classes is None else classes)):
        each = filled.add()
        if classes is not None:
            each.label = classes[column]
        if scores is not None:
            each.score = scores[column]
