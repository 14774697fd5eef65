"""The input of Classify, Regress and MultiInference: tf.Examples in, the tensors that a signature names out.

Source: InputToSerializedExampleTensor and PerformOneShotTensorComputation in
tensorflow_serving/servables/tensorflow/util.cc.
"""

import numpy as np
from tensorflow.core.framework import types_pb2

from serving.server import tensors
from serving.server.status import invalid


def run(loaded, given, feed, fetches):
    """(number of examples, {tensor name: array}) of one run.

    Args:
        loaded: ServedVersion.
        given: Input of the request.
        feed: TensorInfo of the tensor that takes the serialized examples, `<string>[examples]`.
        fetches: names of the tensors asked for.
    """
    examples = serialized(given)
    if feed.dtype != types_pb2.DT_STRING:
        raise invalid(tensors.wrong_type(0, feed.dtype, types_pb2.DT_STRING))
    names = list(dict.fromkeys(fetches))
    return len(examples), dict(zip(names, loaded.run_tensors({feed.name: examples}, names), strict=True))


def serialized(given):
    """`<string>[examples]` of an Input; INVALID_ARGUMENT where there is no example."""
    kind = given.WhichOneof("kind")
    listed = getattr(given, kind) if kind else None
    if not listed or not listed.examples:
        raise invalid("Input is empty.")
    # Two messages end to end are one, in which the later value of a feature wins: the example's over the context's.
    context = listed.context.SerializeToString() if kind == "example_list_with_context" else b""
    return np.array([context + example.SerializeToString() for example in listed.examples], object)
