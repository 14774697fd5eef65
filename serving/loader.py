"""A version loaded as TF Serving loads it: a v1 Session over the MetaGraph, XLA and mixed precision off.

`tf.saved_model.load` answers where TF Serving fails (variables that no v1 Session finds, ops that the server lacks), so
proofs and the embedded server go through here. Source: tensorflow/cc/saved_model/loader.cc, and SavedModel warm-up of
tensorflow_serving/servables/tensorflow.

`python -m serving.loader VERSION_DIR REQUESTS.npz ANSWERS.npz` is the proof's clean process: it loads, replays the
warm-up, runs every request, writes the answers and prints one JSON line (status, culprit). Exit codes: 0, or 3 refused.
With `--mixed_precision=bfloat16` behind it, grappler rewrites the graph as TF Serving's flag of that name has it do.
"""

import functools
import json
import os
import pathlib
import re
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow loads: its start-up lines are no news

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2, rewriter_config_pb2, saved_model_pb2

from serving import exchange, opsets
from serving.contract import CONTRACT_FILE, WARMUP_FILE, ServingError, read_contract

MAX_WARMUP_RECORDS = 1000  # TF Serving refuses a version with more
MIXED_PRECISION = "--mixed_precision=bfloat16"
_INIT_OP = "__saved_model_init_op"
_MOST_STEPS = 128
_NO_TAG = "Could not find meta graph def matching supplied tags: { serve }"
_REWRITER = "auto_mixed_precision_onednn_bfloat16"  # what that flag of TF Serving turns on


class ServedVersion:
    """One loaded version; a context manager. `run` may be called from many threads."""

    def __init__(self, version_dir, mixed_precision=False):
        """Loads the version; ServingError (exit 3) with one culprit where TF Serving could not.

        mixed_precision: bool; whether grappler may turn float32 into bfloat16. It does so only on CPUs that oneDNN has
        bfloat16 for; elsewhere nothing changes.
        """
        self.version_dir = pathlib.Path(version_dir)
        saved_model = read_saved_model(self.version_dir)
        _register_text_ops(graph_ops(saved_model), targets_of(self.version_dir))
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=_session_config(mixed_precision))
        # Not without end: callers choose the outputs, and each choice holds memory.
        self._step = functools.lru_cache(_MOST_STEPS)(self._made_step)
        try:
            self.meta_graph = _serving_graph(saved_model)
            _load(self._session, self.version_dir, self.meta_graph)
            self._tensors = {name: self._look_up(each) for name, each in self.signatures.items()}
        except Exception as error:
            self.close()
            raise ServingError(f"{self.version_dir}: {culprit(error)}", exit_code=3) from error

    @property
    def signatures(self):
        """`{name: SignatureDef}` of what can be asked."""
        return {name: each for name, each in self.meta_graph.signature_def.items() if name != _INIT_OP}

    def run(self, signature_name, inputs):
        """Outputs `{name: array}` of one request `{name: array}`; raises tf.errors.OpError as the server answers."""
        if signature_name not in self._tensors:
            _reject(f"signature {signature_name!r} not found; the version has {', '.join(sorted(self._tensors))}")
        feeds, fetches = self._tensors[signature_name]
        if set(inputs) != set(feeds):
            _reject(f"signature {signature_name} takes {', '.join(sorted(feeds))}; given: {', '.join(sorted(inputs))}")
        arrays = {feeds[name].name: _checked(feeds[name], name, inputs[name]) for name in feeds}
        names = [tensor.name for tensor in fetches.values()]
        return dict(zip(fetches, self.run_tensors(arrays, names), strict=True))

    def answer(self, signature_name, inputs, outputs):
        """The same for the outputs named, of inputs of any shape, as on the server: what fits is the graph's matter."""
        signature = self.signatures[signature_name]
        feeds = {signature.inputs[name].name: array for name, array in inputs.items()}
        names = [signature.outputs[name].name for name in outputs]
        wanted = sorted(set(names))  # in whatever order they are asked for, they are one step
        found = dict(zip(wanted, self.run_tensors(feeds, wanted), strict=True))
        return {output: found[name] for output, name in zip(outputs, names, strict=True)}

    def run_tensors(self, feeds, names):
        """Arrays of the graph's tensors `names`, given `{tensor name: array}`; raises tf.errors.OpError likewise.

        The one way into the session: of a signature's run, and of one across signatures, which MultiInference is.
        """
        return self._step(tuple(sorted(feeds)), tuple(names))(*(feeds[name] for name in sorted(feeds)))

    def _made_step(self, feeds, fetches):
        """The session's own callable. Session.run would look at shapes first, which TF Serving's session does not."""
        options = config_pb2.CallableOptions(feed=feeds, fetch=fetches)
        return self._session._make_callable_from_options(options)

    def replay_warmup(self):
        """Runs every warm-up record, as the server does before it serves; returns their number, 0 without a file."""
        count = 0
        for count, log in enumerate(warmup_records(self.version_dir), start=1):
            if count > MAX_WARMUP_RECORDS:
                raise ServingError(f"warm-up has more than {MAX_WARMUP_RECORDS} records", exit_code=3)
            try:
                self.run(*warmup_request(log))
            except tf.errors.OpError as error:
                raise ServingError(f"warm-up record {count}: {culprit(error)}", exit_code=3) from error
        return count

    def close(self):
        """Frees the session; nothing may run afterwards."""
        self._step.cache_clear()
        self._session.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _look_up(self, signature):
        graph = self._session.graph
        feeds = {name: graph.get_tensor_by_name(info.name) for name, info in signature.inputs.items()}
        return feeds, {name: graph.get_tensor_by_name(info.name) for name, info in signature.outputs.items()}


def read_saved_model(version_dir):
    """The SavedModel proto of a version, read without needing its ops; ServingError where there is none."""
    path = pathlib.Path(version_dir) / "saved_model.pb"
    try:
        return saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except FileNotFoundError:
        raise ServingError(f"{path}: no such file; give a version folder") from None
    except (OSError, DecodeError) as error:
        raise ServingError(f"{path}: not readable as a SavedModel: {_first_line(error)}") from None


def graph_nodes(saved_model):
    """Every node of every graph and of its function library."""
    for meta_graph in saved_model.meta_graphs:
        yield from meta_graph.graph_def.node
        for function in meta_graph.graph_def.library.function:
            yield from function.node_def


def graph_ops(saved_model):
    """Names of all ops of a SavedModel (the proto, or the path of its saved_model.pb), functions included."""
    if not isinstance(saved_model, saved_model_pb2.SavedModel):
        saved_model = read_saved_model(pathlib.Path(saved_model).parent)
    libraries = [meta_graph.graph_def.library.function for meta_graph in saved_model.meta_graphs]
    functions = {function.signature.name for library in libraries for function in library}
    return {node.op for node in graph_nodes(saved_model)} - functions


def compiled_functions(saved_model):
    """Functions with jit_compile=True: TF Serving, where XLA is off, answers INTERNAL to them."""
    libraries = [meta_graph.graph_def.library.function for meta_graph in saved_model.meta_graphs]
    functions = [function for library in libraries for function in library]
    return sorted(each.signature.name for each in functions if each.attr["_XlaMustCompile"].b)


def targets_of(version_dir):
    """TF Serving releases that contract.json names; the newest known for a version without one."""
    if not (pathlib.Path(version_dir) / CONTRACT_FILE).is_file():
        return [opsets.known_targets()[-1]]
    return [opsets.check_target(target) for target in read_contract(version_dir)["serving_target"]]


def warmup_records(version_dir):
    """The PredictionLog protos of the version's warm-up file; none where there is no file."""
    from tensorflow_serving.apis import prediction_log_pb2

    path = pathlib.Path(version_dir) / WARMUP_FILE
    if path.is_file():
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            yield prediction_log_pb2.PredictionLog.FromString(record)


def warmup_request(log):
    """(signature, {name: array}) of a PredictionLog; ServingError for a kind that Slipway does not write."""
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        request = log.predict_log.request
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        return request.model_spec.signature_name or "serving_default", inputs
    if kind not in ("classify_log", "regress_log"):
        raise ServingError(f"warm-up record of kind {kind}: allowed are predict, classify and regress", exit_code=3)
    request = getattr(log, kind).request
    examples = [example.SerializeToString() for example in request.input.example_list.examples]
    return request.model_spec.signature_name or "serving_default", {"inputs": exchange.strings(examples)}


def culprit(error):
    """The one line that names what is wrong in a TensorFlow error, which is often forty lines long."""
    text = str(error)
    if found := re.search(r"Could not find variable (\S+?)[.,]?\s", text):
        return (
            f"variable not found in a v1 Session: {found[1]}; the export does not track the variables themselves "
            "(track them with keras.export.ExportArchive)"
        )
    if found := re.search(r"Op type not registered '([^']+)'", text):
        return f"op {found[1]} is not known to the server"
    if _NO_TAG in text:
        return "no MetaGraph with the tag 'serve'; export it with tf.saved_model.save"
    return _first_line(error)


def _first_line(error):
    lines = [line.strip() for line in str(getattr(error, "message", "") or error).splitlines()]
    lines = [line for line in lines if line and not line.startswith("Graph execution error")]
    return (lines[0] if lines else type(error).__name__)[:300]


def _register_text_ops(ops, targets):
    # The import registers every op of tf.text, so it happens only where the real server has registered them, too:
    # a graph without them must also load here without them.
    try:
        opsets.refuse_missing(ops, targets)
    except ServingError as error:
        raise error from tf.errors.NotFoundError(None, None, str(error))  # the code that the server's loader gives it
    if any(ops & opsets.text_ops_of(target) for target in targets):
        import tensorflow_text  # noqa: F401


def _session_config(mixed_precision):
    config = tf.compat.v1.ConfigProto()
    options = config.graph_options
    options.optimizer_options.global_jit_level = tf.compat.v1.OptimizerOptions.OFF
    for name in ("auto_mixed_precision", _REWRITER, "auto_mixed_precision_cpu"):
        setattr(options.rewrite_options, name, rewriter_config_pb2.RewriterConfig.OFF)
    if mixed_precision:
        setattr(options.rewrite_options, _REWRITER, rewriter_config_pb2.RewriterConfig.ON)
    return config


def _serving_graph(saved_model):
    for meta_graph in saved_model.meta_graphs:
        if set(meta_graph.meta_info_def.tags) == {tf.saved_model.SERVING}:
            return meta_graph
    raise tf.errors.NotFoundError(None, None, _NO_TAG)


def _load(session, version_dir, meta_graph):
    """Graph, variables, initializer. Without variables.index none are restored: what needs them fails when it runs."""
    with session.graph.as_default():
        tf.compat.v1.train.import_meta_graph(meta_graph)
    assets = {each.tensor_info.name: str(version_dir / "assets" / each.filename) for each in _assets(meta_graph)}
    variables, saver = version_dir / "variables" / "variables", meta_graph.saver_def
    if variables.with_suffix(".index").exists() and saver.restore_op_name:
        session.run(saver.restore_op_name, {saver.filename_tensor_name: str(variables)} | assets)
    if init_op := _init_op(meta_graph):
        session.run(init_op, assets)


def _assets(meta_graph):
    """The AssetFileDefs of a MetaGraph, which old ones keep in a collection."""
    if meta_graph.asset_file_def or "saved_model_assets" not in meta_graph.collection_def:
        return meta_graph.asset_file_def
    found = []
    for packed in meta_graph.collection_def["saved_model_assets"].any_list.value:
        found.append(meta_graph_pb2.AssetFileDef())
        packed.Unpack(found[-1])
    return found


def _init_op(meta_graph):
    """Name of the op that makes a MetaGraph ready; empty where it needs none."""
    if _INIT_OP in meta_graph.signature_def:
        return meta_graph.signature_def[_INIT_OP].outputs[_INIT_OP].name
    for key in ("saved_model_main_op", "legacy_init_op"):
        if key in meta_graph.collection_def:
            return meta_graph.collection_def[key].node_list.value[0]
    return ""


def _checked(tensor, name, value):
    array = np.asarray(value, object) if tensor.dtype == tf.string else np.asarray(value)
    is_text = all(isinstance(each, (bytes, str)) for each in array.flat) if tensor.dtype == tf.string else True
    if array.dtype != tensor.dtype.as_numpy_dtype or not is_text:
        given = np.asarray(value).dtype
        _reject(f"input {name} is {given}; expected is {tensor.dtype.name}")
    if not tensor.shape.is_compatible_with(array.shape):
        _reject(f"input {name} has shape {array.shape}; expected is {tensor.shape}")
    return array


def _reject(message):
    raise tf.errors.InvalidArgumentError(None, None, message)


def answer_requests(version_dir, requests_path, answers_path, mixed_precision=False):
    """What the clean process does; returns its status, with the stage and culprit of the first failure."""
    status = {"status": "failed", "stage": "load", "warmup_records": 0}
    try:
        with ServedVersion(version_dir, mixed_precision) as version:
            status["stage"] = "warm-up"
            status["warmup_records"] = version.replay_warmup()
            status["stage"] = "run"
            requests = exchange.read(requests_path)
            exchange.write(answers_path, [(name, version.run(name, inputs)) for name, inputs in requests])
    except ServingError as error:
        return status | {"culprit": str(error).removeprefix(f"{version_dir}: ")}
    except tf.errors.OpError as error:
        return status | {"culprit": culprit(error)}
    return {"status": "ok", "warmup_records": status["warmup_records"], "tensorflow": tf.__version__}


def main(arguments):
    """The clean process; see the module's docstring."""
    mixed_precision = arguments[3:] == [MIXED_PRECISION]
    if len(arguments) != 3 + mixed_precision:
        usage = f"python -m serving.loader VERSION_DIR REQUESTS.npz ANSWERS.npz [{MIXED_PRECISION}]"
        print(f"error: usage: {usage}", file=sys.stderr)
        return 2
    status = answer_requests(*arguments[:3], mixed_precision)
    print(json.dumps(status), flush=True)
    if status["status"] == "ok":
        return 0
    print(f"error: {status['culprit']}", file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
