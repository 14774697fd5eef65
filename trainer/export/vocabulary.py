"""The tokenizer that is really baked into a SavedModel, read from its graph without asking it anything.

Answers cannot show that two tokenizers are the same: a changed line of the vocabulary shows only on texts that hold
that word. So the tokenizer's own data (WordPiece model, tables, SentencePiece model, the patterns that normalize text)
is hashed where the graph holds it and compared with that of a tokenizer built anew from the encoder's files.
"""

import collections
import hashlib
import pathlib
import tempfile

import tensorflow as tf

from serving import loader
from trainer.export import saved_model as saving

# Ops that read a vocabulary, and which of their inputs hold it.
_DATA_INPUTS = {
    "FastWordpieceTokenizeWithOffsets": (1,),
    "WordpieceTokenizeWithOffsets": (1,),
    "FastBertNormalize": (1,),
    "TFText>FastSentencepieceTokenize": (1,),
    "LookupTableImportV2": (1, 2),
    "InitializeTableV2": (1, 2),
}
# Ops that hold it, or a rule of the normalizer, in attributes.
_DATA_ATTRIBUTES = {"SentencepieceOp": ("model",), "StaticRegexReplace": ("pattern", "rewrite")}
# Calls pass their inputs on to a function's arguments, these after a first one of their own.
_SKIPPED_INPUTS = {"If": 1, "StatelessIf": 1, "Case": 1, "StatelessCase": 1}
_PASSED_ON = frozenset({"Identity", "StopGradient", "Reshape", "Cast"})

UNREADABLE = "unreadable"


def of_version(version_dir):
    """`{"op: sha256:…"}` of a version's tokenizer and of its assets, with UNREADABLE for data that is computed."""
    proto = loader.read_saved_model(version_dir)
    assets = sorted((pathlib.Path(version_dir) / "assets").glob("**/*"))
    return _of_graph(proto) | {f"asset: {_sha256(path.read_bytes())}" for path in assets if path.is_file()}


def of_tokenizer(tokenizer):
    """The same of a tokenizer alone, saved as an export would save it."""
    module = tf.Module()
    module.resources = saving.trackables(tokenizer)
    tokenizer(tf.constant(["text"]))
    specs = [tf.TensorSpec([None], tf.string)]
    module.function = tf.function(lambda text: tokenizer(text).flat_values, input_signature=specs, autograph=False)
    with tempfile.TemporaryDirectory() as folder, saving.quiet():
        tf.saved_model.save(module, folder, signatures={"serving_default": module.function})
        return of_version(folder)


def _of_graph(saved_model):
    found = set()
    for meta_graph in saved_model.meta_graphs:
        flow = _Flow(meta_graph.graph_def)
        for scope, node in flow.nodes():
            for index in _DATA_INPUTS.get(node.op, ()):
                values = flow.constants(scope, node.input[index]) or [UNREADABLE]
                found |= {f"{node.op}: {value}" for value in values}
            if node.op in _DATA_ATTRIBUTES:
                found.add(
                    f"{node.op}: {_sha256(repr([node.attr[name].s for name in _DATA_ATTRIBUTES[node.op]]).encode())}"
                )
    return found


class _Flow:
    """Follows a tensor back to the constants it comes from, out of functions into their callers."""

    def __init__(self, graph_def):
        self._functions = {each.signature.name: each for each in graph_def.library.function}
        self._scopes = {None: {node.name: node for node in graph_def.node}}
        for name, function in self._functions.items():
            self._scopes[name] = {node.name: node for node in function.node_def}
        self._calls = collections.defaultdict(list)
        for scope, node in self.nodes():
            for name in _called(node):
                self._calls[name].append((scope, node))

    def nodes(self):
        """Pairs of (function's name, None for the main graph) and node."""
        for scope, nodes in self._scopes.items():
            for node in nodes.values():
                yield scope, node

    def constants(self, scope, tensor, seen=frozenset()):
        """Hashes of the constants that the tensor named `tensor` may be; UNREADABLE where it is computed."""
        name = tensor.partition(":")[0]
        if (scope, name) in seen:
            return set()
        seen |= {(scope, name)}
        node = self._scopes[scope].get(name)
        if node is None:
            return self._from_callers(scope, name, seen)
        if node.op == "Const":
            return {_sha256(_content(node.attr["value"].tensor))}
        if node.op in _PASSED_ON:
            return self.constants(scope, node.input[0], seen)
        return {UNREADABLE}

    def _from_callers(self, function, argument, seen):
        names = [each.name for each in self._functions[function].signature.input_arg] if function else []
        if argument not in names:
            return {UNREADABLE}
        found = set()
        for scope, node in self._calls[function]:
            index = names.index(argument) + _SKIPPED_INPUTS.get(node.op, 0)
            found |= self.constants(scope, node.input[index], seen)
        return found


def _called(node):
    for attribute in node.attr.values():
        functions = [attribute.func] if attribute.HasField("func") else attribute.list.func
        yield from (function.name for function in functions)


def _content(tensor):
    array = tf.make_ndarray(tensor)
    if array.dtype == object:
        parts = array.ravel().tolist()
        return b"".join(len(part).to_bytes(8, "little") + part for part in parts)
    return str(array.dtype).encode() + array.tobytes()


def _sha256(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()
