"""What can be seen of a version without running it: signatures, ops, contract, warm-up, vocabulary."""

import tensorflow as tf

from serving import loader, opsets
from serving.contract import CONTRACT_FILE, WARMUP_FILE, read_contract
from trainer.config import UserError
from trainer.export import saved_model, vocabulary
from trainer.tasks import TASKS


class ProofRefused(UserError):
    """The version is not what was trained, or its server could not run it; the message names the culprit."""

    exit_code = 3

    def __init__(self, culprit):
        self.culprit = culprit
        super().__init__(f"the proof refuses this version: {culprit}")


def check_graph(graph, wanted, targets):
    """The graph takes text under the names `wanted`, and every target can run all of it."""
    _check_text_signature(signatures_of(graph), wanted)
    opsets.refuse_missing(loader.graph_ops(graph), targets)
    if compiled := loader.compiled_functions(graph):
        raise ProofRefused(f"function {compiled[0]} has jit_compile=True; TF Serving, without XLA, answers INTERNAL")


def check_version(version_dir, graph, targets, preprocessor):
    """contract.json tells the truth of the graph, and the version holds its warm-up and the encoder's vocabulary.

    Args:
        preprocessor: TextPreprocessor built anew from the encoder's own files; None leaves out the vocabulary.

    Returns:
        The contract as a dict.
    """
    contract = read_contract(version_dir)
    _check_contract(contract, graph, targets)
    _check_warmup(version_dir, contract)
    if preprocessor is not None:
        _check_vocabulary(version_dir, contract, preprocessor)
    return contract


def signatures_of(graph):
    """`{name: SignatureDef}` of a SavedModel proto."""
    return {name: each for meta_graph in graph.meta_graphs for name, each in meta_graph.signature_def.items()}


def _check_text_signature(definitions, wanted):
    given = definitions.get("serving_default")
    if given is None:
        raise ProofRefused(f"no signature serving_default; the version has {', '.join(sorted(definitions)) or 'none'}")
    inputs = {name: tf.as_dtype(info.dtype).name for name, info in given.inputs.items()}
    if inputs != dict.fromkeys(wanted, "string"):
        takes = ", ".join(f"{name}: {dtype}" for name, dtype in sorted(inputs.items())) or "nothing"
        must = " and ".join(f"{name}: string" for name in sorted(wanted))
        raise ProofRefused(f"no text signature: serving_default takes {takes}; it must take {must}")


def _check_contract(contract, graph, targets):
    signatures = contract["signatures"]
    if signatures != saved_model.describe_signatures(graph):
        raise ProofRefused(f"{CONTRACT_FILE} names other signatures than the graph has")
    if contract["ops"] != sorted(loader.graph_ops(graph)):
        raise ProofRefused(f"{CONTRACT_FILE} names other ops than the graph has")
    if contract["serving_target"] != list(targets):
        raise ProofRefused(f"{CONTRACT_FILE} names other TF Serving releases than {', '.join(targets)}")
    if contract["task"] not in TASKS:
        raise ProofRefused(f"{CONTRACT_FILE} names the task {contract['task']}; known are {', '.join(TASKS)}")
    if absent := _signatures(contract) - set(signatures):
        raise ProofRefused(f"no signature {', '.join(sorted(absent))}")
    if absent := _served(contract) - set(signatures["serving_default"]["outputs"]):
        raise ProofRefused(f"serving_default gives no {', '.join(sorted(absent))}")


def _signatures(contract):
    """Names of the signatures that the version must have."""
    tasks = [contract["task"], *(head["task"] for head in contract.get("heads", {}).values())]
    return frozenset().union(*(TASKS[task].signatures for task in tasks))


def _served(contract):
    """Names of the outputs that the version must have."""
    heads = contract.get("heads", {})
    own = {f"{name}_{each}" for name, head in heads.items() for each in TASKS[head["task"]].served - {"truncated"}}
    return TASKS[contract["task"]].served | own


def _check_warmup(version_dir, contract):
    logs = list(loader.warmup_records(version_dir))
    if not logs:
        raise ProofRefused(f"no warm-up: {WARMUP_FILE} is missing or empty")
    covered = {loader.warmup_request(log)[0] for log in logs}
    if left_out := sorted(set(contract["signatures"]) - covered):
        raise ProofRefused(f"the warm-up has no record for signature {', '.join(left_out)}")


def _check_vocabulary(version_dir, contract, preprocessor):
    expected, given = preprocessor.fingerprint, contract["fingerprints"]["vocabulary"]
    if given != expected:
        raise ProofRefused(f"its vocabulary is {given[:15]}…, but that of the encoder's own files is {expected[:15]}…")
    if vocabulary.of_version(version_dir) != vocabulary.of_tokenizer(preprocessor.tokenizer):
        raise ProofRefused("the tokenizer inside the graph is not that of the encoder's own files")
