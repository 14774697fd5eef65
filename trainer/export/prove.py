"""The proof: a version is what was trained, and the server that it is meant for can run it.

It is loaded as TF Serving loads it (v1 Session over the MetaGraph, a process of its own), its warm-up is replayed, and
its answers are compared with those of the trained model. What `tf.saved_model.load` answers in Python proves nothing.
"""

import dataclasses
import datetime
import pathlib

import tensorflow as tf

from serving import loader, opsets
from serving.contract import CONTRACT_FILE, SCHEMA_VERSION, ServingError, file_hashes, read_contract
from serving.exchange import strings
from trainer.config import UserError
from trainer.export import clean_process, compare, saved_model, vocabulary, warmup
from trainer.export.samples import batches, spread
from trainer.export.signatures import CONTRACT_KEY

TOLERANCE = 1e-4  # of a probability
_VECTORS = 16  # texts whose vector is also asked for alone: it comes from the same tokens as the probabilities
_OUTPUTS = frozenset({"label", "score", "probabilities", "truncated", "abstain"})


class ProofRefused(UserError):
    """The version is not what was trained, or its server could not run it; the message names the culprit."""

    exit_code = 3

    def __init__(self, culprit):
        super().__init__(f"the proof refuses this version: {culprit}")


def prove(version_dir, samples, *, targets=None, preprocessor=None, scratch=None):
    """Proves a version, ours or a foreign one.

    Args:
        version_dir: folder with saved_model.pb and so on.
        samples: Samples, see trainer/export/samples.py.
        targets: TF Serving releases; default: those that the version's contract names, else the oldest known.
        preprocessor: TextPreprocessor built anew from the encoder's own files; None leaves out the vocabulary.
        scratch: folder for passing files; default: the system's.

    Returns:
        proof.json as a dict.

    Raises:
        ProofRefused: with the first culprit, in one line.
    """
    version_dir = pathlib.Path(version_dir)
    try:
        return _prove(version_dir, samples, targets, preprocessor, scratch)
    except ServingError as error:
        raise ProofRefused(str(error)) from error


def _prove(version_dir, samples, targets, preprocessor, scratch):
    graph = loader.read_saved_model(version_dir)
    definitions = {name: each for meta in graph.meta_graphs for name, each in meta.signature_def.items()}
    _check_text_signature(definitions, samples)
    targets = list(targets or _targets(version_dir))
    opsets.refuse_missing(loader.graph_ops(graph), targets)
    if compiled := loader.compiled_functions(graph):
        raise ProofRefused(
            f"function {compiled[0]} has jit_compile=True, which TF Serving without XLA answers INTERNAL"
        )
    requests = _requests(definitions, samples)
    status, answers = clean_process.ask(version_dir, list(requests.values()), scratch)
    if status["status"] != "ok":
        raise ProofRefused(f"at {status['stage']}: {status['culprit']}")
    contract = _check_contract(version_dir, graph, targets)
    _check_warmup(version_dir, contract)
    _check_vocabulary(version_dir, contract, preprocessor)
    answers = dict(zip(requests, (arrays for _, arrays in answers), strict=True))
    figures = _check_answers(version_dir, answers, samples)
    return _document(version_dir, contract, samples, status, targets, figures)


def _check_text_signature(definitions, samples):
    wanted = {"text"} | ({"text_pair"} if samples.pairs is not None else set())
    given = definitions.get("serving_default")
    if given is None:
        raise ProofRefused(f"no signature serving_default; the version has {', '.join(sorted(definitions)) or 'none'}")
    texts = {name for name, info in given.inputs.items() if info.dtype == tf.string.as_datatype_enum}
    if texts != wanted or set(given.inputs) != wanted:
        inputs = [f"{name}: {tf.as_dtype(info.dtype).name}" for name, info in sorted(given.inputs.items())]
        raise ProofRefused(
            f"no text signature: serving_default takes {', '.join(inputs)}; it must take "
            f"{' and '.join(f'{name}: string[N]' for name in sorted(wanted))}"
        )


def _targets(version_dir):
    try:
        return read_contract(version_dir)["serving_target"]
    except ServingError:
        return opsets.known_targets()[:1]


def _requests(definitions, samples):
    """`{(kind, rows): (signature, inputs)}` of all that the clean process is asked."""
    requests, singles = {}, samples.singles()
    for rows in batches(samples.rows()):
        requests["batch", rows] = ("serving_default", _texts(samples, rows))
    for row in singles:
        requests["alone", (row,)] = ("serving_default", _texts(samples, (row,)))
    if "embed" in definitions:
        for rows in [*batches(singles), *((row,) for row in spread(singles, _VECTORS))]:
            requests["embed", rows] = ("embed", _texts(samples, rows))
    if "classify" in definitions:
        for rows in batches(singles):
            examples = [example.SerializeToString() for example in warmup.examples(samples.inputs(rows))]
            requests["classify", rows] = ("classify", {"inputs": strings(examples)})
    if "contract" in definitions:
        requests["contract", ()] = ("contract", {"key": strings([CONTRACT_KEY, "other"])})
    return requests


def _texts(samples, rows):
    return {name: strings(values) for name, values in samples.inputs(rows).items()}


def _check_contract(version_dir, graph, targets):
    contract = read_contract(version_dir)
    if contract["signatures"] != saved_model.describe_signatures(graph):
        raise ProofRefused(f"{CONTRACT_FILE} names other signatures than the graph has")
    if absent := {"contract", "embed"} - set(contract["signatures"]):
        raise ProofRefused(f"no signature {', '.join(sorted(absent))}")
    if absent := _OUTPUTS - set(contract["signatures"]["serving_default"]["outputs"]):
        raise ProofRefused(f"serving_default gives no {', '.join(sorted(absent))}")
    if set(contract["serving_target"]) - set(targets):
        raise ProofRefused(f"{CONTRACT_FILE} names other TF Serving releases than {', '.join(targets)}")
    return contract


def _check_warmup(version_dir, contract):
    logs = list(loader.warmup_records(version_dir))
    if not logs:
        raise ProofRefused("no warm-up: assets.extra/tf_serving_warmup_requests is missing or empty")
    covered = {loader.warmup_request(log)[0] for log in logs}
    if left_out := sorted(set(contract["signatures"]) - covered):
        raise ProofRefused(f"the warm-up has no record for signature {', '.join(left_out)}")


def _check_vocabulary(version_dir, contract, preprocessor):
    if preprocessor is None:
        return
    expected, given = preprocessor.fingerprint, contract["fingerprints"]["vocabulary"]
    if given != expected:
        raise ProofRefused(
            f"its vocabulary has fingerprint {given[:19]}…, but that of the encoder's files {expected[:19]}…"
        )
    if vocabulary.of_version(version_dir) != vocabulary.of_tokenizer(preprocessor.tokenizer):
        raise ProofRefused(
            "the vocabulary inside the graph is not that of the encoder's files, whatever its contract says"
        )


def _check_answers(version_dir, answers, samples):
    text = (version_dir / CONTRACT_FILE).read_text("utf-8")
    if answers["contract", ()]["value"].tolist() != [text.encode(), b""]:
        raise ProofRefused(f"the signature contract does not answer with the text of {CONTRACT_FILE}")
    try:
        return compare.compare(samples, answers, TOLERANCE)
    except compare.Differs as difference:
        raise ProofRefused(str(difference)) from None


def _document(version_dir, contract, samples, status, targets, figures):
    files = file_hashes(version_dir)
    return {
        "schema_version": SCHEMA_VERSION,
        "accepted": True,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "contract": files[CONTRACT_FILE],
        "files": files,
        "texts": samples.dev,
        "hostile": len(samples.texts) - samples.dev,
        **dataclasses.asdict(figures),
        "tolerance": TOLERANCE,
        "warmup_records": status["warmup_records"],
        "vocabulary": contract["fingerprints"]["vocabulary"],
        "serving_target": targets,
        "tensorflow": status["tensorflow"],
    }
