"""The proof: a version is what was trained, and the server that it is meant for can run it.

It is loaded as TF Serving loads it (v1 Session over the MetaGraph, a process of its own), its warm-up is replayed, and
its answers are compared with those of the trained model. What `tf.saved_model.load` answers in Python proves nothing.
"""

import contextlib
import dataclasses
import datetime
import pathlib

import numpy as np

from serving import loader, opsets
from serving.contract import CONTRACT_FILE, SCHEMA_VERSION, ServingError, file_hashes, read_contract
from serving.exchange import strings
from trainer.export import accuracy, clean_process, compare, inspection, warmup
from trainer.export.comparison import TOKENS
from trainer.export.inspection import ProofRefused
from trainer.export.limits import LIMITS
from trainer.export.samples import batches, spread
from trainer.export.signatures import CONTRACT_KEY, EXAMPLE_METHODS

_VECTORS = 16  # texts that are also asked for a vector: it comes from the same tokens as the probabilities
# What a refusal for the limits begins with, and what it ends with.
_WORDS = {
    "float32": ("", ""),
    "bfloat16": ("bfloat16: ", "; give --serving_precision=float32"),
    "int8": ("int8: ", "; give --serving_precision=bfloat16"),
}
_REWRITTEN = (f"under {loader.MIXED_PRECISION}: ", "; serve without that flag, and give --noproof_mixed_precision")
_NOISE = 1e-5  # a graph that nothing was rewritten in does not differ that much from itself


def prove(version_dir, samples, *, targets=None, preprocessor=None, scratch=None, dev=None, mixed_precision=False):
    """Proves a version, ours or a foreign one; a foreign one is refused at the latest for having no contract.

    Args:
        version_dir: folder with saved_model.pb and so on.
        samples: Samples, see trainer/export/samples.py.
        targets: TF Serving releases; default: those that the version's contract names, else the oldest known.
        preprocessor: TextPreprocessor built anew from the encoder's own files; None leaves out the vocabulary.
        scratch: folder for passing files; default: the system's.
        dev: DevRows, see trainer/export/accuracy.py; whatever is held to the limits of bfloat16 must answer them.
        mixed_precision: bool; whether it is proven once more under TF Serving's --mixed_precision=bfloat16.

    Returns:
        proof.json as a dict.

    Raises:
        ProofRefused: with the first culprit, in one line.
    """
    version_dir = pathlib.Path(version_dir)
    try:
        return _prove(version_dir, samples, targets, preprocessor, scratch, dev, mixed_precision)
    except (ServingError, compare.Differs) as error:
        raise ProofRefused(str(error)) from error


def _prove(version_dir, samples, targets, preprocessor, scratch, dev, mixed_precision):
    graph = loader.read_saved_model(version_dir)
    has_contract = (version_dir / CONTRACT_FILE).is_file()
    targets = list(
        targets or (read_contract(version_dir)["serving_target"] if has_contract else opsets.known_targets()[:1])
    )
    inspection.check_graph(graph, samples.inputs([]), targets)
    if has_contract:
        inspection.check_version(version_dir, graph, targets, preprocessor)
    requests = _requests(inspection.signatures_of(graph), samples) | (dev.requests() if dev else {})
    status, answers = clean_process.answers(version_dir, requests, scratch)
    contract = read_contract(version_dir)
    if answers["contract", ()]["value"].tolist() != [(version_dir / CONTRACT_FILE).read_bytes(), b""]:
        raise ProofRefused(f"the signature contract does not answer with the text of {CONTRACT_FILE}")
    precision = contract.get("precision")
    if precision not in LIMITS:
        raise ProofRefused(f"{CONTRACT_FILE} names the precision {precision}; known are {', '.join(LIMITS)}")
    with _explained(*_WORDS[precision]):
        figures = _figures(LIMITS[precision], samples, dev, answers)
    if mixed_precision:
        figures["mixed_precision"] = _rewritten(version_dir, samples, dev, requests, answers, scratch)
    return _document(version_dir, contract, samples, status, figures)


def _figures(limits, samples, dev, answers):
    """What proof.json says of answers within the limits; raises Differs where they are not."""
    figures = dataclasses.asdict(compare.compare(samples, answers, limits.tolerance)) | {"tolerance": limits.tolerance}
    if limits.accuracy_loss is None:
        return figures
    if dev is None:
        raise compare.Differs("its limits are also those of accuracy, and no labelled dev rows were given")
    return figures | {"accuracy": accuracy.check(dev, answers, limits.accuracy_loss)}


def _rewritten(version_dir, samples, dev, requests, answers, scratch):
    """The `mixed_precision` of proof.json: the same requests where grappler may rewrite float32 to bfloat16.

    `changed`: the largest difference to the answers without; `at_work`: whether this CPU's rewriter did anything.
    """
    _, rewritten = clean_process.answers(version_dir, requests, scratch, mixed_precision=True)
    with _explained(*_REWRITTEN):
        figures = _figures(LIMITS["bfloat16"], samples, dev, rewritten)
    changed = max(_changes(samples.task, answers, rewritten))
    return figures | {"changed": changed, "at_work": changed > _NOISE}


def _changes(task, answers, others):
    """Yields the largest difference of each request, in the task's unit."""
    heads = getattr(task, "heads", {})
    units = {f"{name}_{head.compared}": head.unit for name, head in heads.items()} or {task.compared: task.unit}
    for key in answers:
        if key[0] in ("batch", "batch" + TOKENS):
            for name in units.keys() & answers[key].keys():
                yield float(np.abs(answers[key][name] - others[key][name]).max(initial=0)) / units[name]


@contextlib.contextmanager
def _explained(where, way_out):
    """A Differs says where it was found and what to do about it."""
    try:
        yield
    except compare.Differs as error:
        raise ProofRefused(f"{where}{error}{way_out}") from error


def _requests(definitions, samples):
    """`{(kind, rows): (signature, inputs)}` of all that the clean process is asked; see trainer/export/compare.py."""
    requests, singles = {}, samples.singles()
    for signature, mark in (("serving_default", ""), ("tokens", TOKENS)):
        if signature in definitions:
            for rows in batches(samples.rows()):
                requests["batch" + mark, rows] = (signature, _texts(samples, rows))
            for row in singles:
                requests["alone" + mark, (row,)] = (signature, _texts(samples, (row,)))
    few = tuple(spread(singles[: len(singles) - samples.oversized], _VECTORS))
    if "embed" in definitions:
        for rows in [few, *((row,) for row in few)]:
            requests["embed", rows] = ("embed", _texts(samples, rows))
    if "search" in definitions:
        for rows in batches(sorted({*few, *samples.question_rows()})):
            requests["search", rows] = ("search", _texts(samples, rows))
    for name in EXAMPLE_METHODS.keys() & definitions.keys():
        for rows in batches(singles[: len(singles) - samples.oversized]):
            examples = [example.SerializeToString() for example in warmup.examples(samples.inputs(rows))]
            requests[name, rows] = (name, {"inputs": strings(examples)})
    if "contract" in definitions:
        requests["contract", ()] = ("contract", {"key": strings([CONTRACT_KEY, "other"])})
    return requests


def _texts(samples, rows):
    return {name: strings(values) for name, values in samples.inputs(rows).items()}


def _document(version_dir, contract, samples, status, figures):
    files = file_hashes(version_dir)
    return {
        "schema_version": SCHEMA_VERSION,
        "accepted": True,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "contract": files[CONTRACT_FILE],
        "files": files,
        "texts": samples.dev,
        "hostile": len(samples.texts) - samples.dev - samples.questions,
        "precision": contract["precision"],
        **figures,
        "warmup_records": status["warmup_records"],
        "vocabulary": contract["fingerprints"]["vocabulary"],
        "serving_target": contract["serving_target"],
        "tensorflow": status["tensorflow"],
    }
