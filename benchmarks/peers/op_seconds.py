"""Where the time of a TensorFlow step goes: seconds of its op kernels by category, from TensorFlow's own profiler.

Kernels of both inter-op threads count, so that the sum may pass the step's wall clock. What oneDNN computes together
with a product, bias and GELU, counts as the product, and so does the gradient of a bias where it is one; a layer norm's
sums of products count as elementwise.
"""

import collections
import pathlib
import re
import tempfile

_KERNEL = re.compile(r"[^:]:_?[A-Z]\w*$")  # `name of the op:type of the op`
_XLA = "CpuExecutable::ExecuteAsyncOnStream"  # one run of what XLA compiled: all of its programs have this name
# The first that is found in `name:type` decides.
CATEGORIES = {
    "calls": r":\w*PartitionedCall|:XlaLaunch|:_XlaRun|:While|:StatelessWhile|:_?If$",  # they hold other kernels
    "input": r":(Prefetch|FlatMap|Generator|PyFunc|Iterator\w*|ParallelMap\w*|Root|Model)$",
    "matmul": r":\w*(MatMul|Einsum)",
    "gelu": r"Gelu|:Erf",
    "softmax": r"Softmax",
    "dropout": r":(Stateless)?Random|dropout|:GreaterEqual|:Select",
    "norm": r":(Mean|Rsqrt|SquaredDifference|FusedBatchNorm\w*|_MklLayerNorm)$|moments|batchnorm",
    "bias gradients": r":BiasAddGrad",
    "gather/scatter": r":\w*(Gather|Scatter|Segment|Where|Slice|Concat|Split|Pack|Transpose|Tile|Reshape|Pad|Cumsum)",
    "casts": r":\w*Cast$",
    "elementwise": r":\w*(Add|Mul|Sub|Div|Neg|Exp|Tanh|Square|Sqrt|Pow|Sum|Maximum|Minimum|Fused|Abs)",
}


def op_seconds(step, steps):
    """{category: seconds a step, most first} of a callable that takes one step, over `steps` steps."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        for _ in range(steps):
            step()
        tf.profiler.experimental.stop()
        (trace,) = pathlib.Path(folder).rglob("*.xplane.pb")
        events = list(read_events(trace))
    seconds = collections.Counter()
    for name, spent in events:
        seconds[category(name)] += spent / steps
    return {name: spent for name, spent in seconds.most_common() if name not in ("calls", "not a kernel")}


def read_events(trace):
    """(name, seconds) of every event in an .xplane.pb file."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    for plane in xplane_pb2.XSpace.FromString(trace.read_bytes()).planes:
        names = {number: each.name for number, each in plane.event_metadata.items()}
        for line in plane.lines:
            yield from ((names[event.metadata_id], event.duration_ps / 1e12) for event in line.events)


def category(name):
    """The category of an event by its name; "other" for a kernel that fits none, "not a kernel" for all else."""
    if name == _XLA:
        return "XLA: optimizer update, activations"
    if not _KERNEL.search(name):
        return "not a kernel"
    return next((each for each, pattern in CATEGORIES.items() if re.search(pattern, name)), "other")
