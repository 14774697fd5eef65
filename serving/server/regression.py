"""What a regression signature must be like, and its tensor as a RegressionResult.

Source: PreProcessRegression and PostProcessRegressionResult in tensorflow_serving/servables/tensorflow/regressor.cc.
"""

import numpy as np
import tensorflow as tf

from serving.server import tensors
from serving.server.status import invalid

NOUN = "regression"
METHOD = tf.saved_model.REGRESS_METHOD_NAME
_INPUTS = tf.saved_model.REGRESS_INPUTS
_OUTPUTS = tf.saved_model.REGRESS_OUTPUTS


def ends(signature):
    """(TensorInfo to feed, names of the tensors to fetch) of a signature with one input, else INVALID_ARGUMENT."""
    if len(signature.outputs) != 1:
        raise invalid("Expected one output Tensor.")
    if _INPUTS not in signature.inputs:
        raise invalid(f"No regression inputs found in SignatureDef: {signature}")
    if _OUTPUTS not in signature.outputs:
        raise invalid(f"No regression outputs found in SignatureDef: {signature}")
    return signature.inputs[_INPUTS], [signature.outputs[_OUTPUTS].name]


def fill(result, signature, count, arrays):
    """Fills a RegressionResult for `count` examples from `{tensor name: array}`, of shape `[count]` or `[count, 1]`."""
    array = arrays[signature.outputs[_OUTPUTS].name]
    if np.ndim(array) != 1 and (np.ndim(array) != 2 or array.shape[1] != 1):
        allowed = "[batch_size] or [batch_size, 1]"
        raise invalid(f"Expected output Tensor shape to be either {allowed} but got {tensors.shape_text(array)}")
    if len(array) != count:
        raise invalid(f"Input batch size did not match output batch size: {count} vs. {len(array)}")
    if tensors.dtype_text(array) != "DT_FLOAT":
        raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {tensors.dtype_text(array)}")
    for value in array.ravel().tolist():
        result.regressions.add(value=value)
