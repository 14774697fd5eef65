"""What a signature of a version runs: its ops, those of the functions that it calls among them."""

import collections

from serving import loader

# Ops of one pass of an encoder that no head has: lookups of words, places and segments, and attention's products.
OF_AN_ENCODER = {"lookups in tables": "ResourceGather", "products of attention": "BatchMatMulV2"}


def run_by(version_dir, signature):
    """Counter of the ops that an answer of `signature` is computed by, each as often as it stands in the graph."""
    meta_graph = loader.read_saved_model(version_dir).meta_graphs[0]
    functions = {each.signature.name: each for each in meta_graph.graph_def.library.function}
    outputs = meta_graph.signature_def[signature].outputs.values()
    called = {output.name.split(":")[0] for output in outputs}
    return collections.Counter(
        inner.op for node in meta_graph.graph_def.node if node.name in called for inner in _with_called(node, functions)
    )


def _with_called(node, functions):
    yield node
    for attribute in node.attr.values():
        if attribute.HasField("func"):
            for inner in functions[attribute.func.name].node_def:
                yield from _with_called(inner, functions)
