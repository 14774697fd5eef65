"""The proof: a version is what was trained, and the server that it is meant for can run it.

It is loaded as TF Serving loads it (v1 Session over the MetaGraph, a process of its own), its warm-up is replayed, and
its answers are compared with those of the trained model. What `tf.saved_model.load` answers in Python proves nothing.
"""

import dataclasses
import datetime
import pathlib

from serving import loader, opsets
from serving.contract import CONTRACT_FILE, SCHEMA_VERSION, ServingError, file_hashes, read_contract
from serving.exchange import strings
from trainer.export import clean_process, compare, inspection, warmup
from trainer.export.inspection import ProofRefused
from trainer.export.samples import batches, spread
from trainer.export.signatures import CONTRACT_KEY

TOLERANCE = 1e-4  # of a probability
_VECTORS = 16  # texts that are also asked for a vector: it comes from the same tokens as the probabilities


def prove(version_dir, samples, *, targets=None, preprocessor=None, scratch=None):
    """Proves a version, ours or a foreign one; a foreign one is refused at the latest for having no contract.

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
    except (ServingError, compare.Differs) as error:
        raise ProofRefused(str(error)) from error


def _prove(version_dir, samples, targets, preprocessor, scratch):
    graph = loader.read_saved_model(version_dir)
    has_contract = (version_dir / CONTRACT_FILE).is_file()
    targets = list(
        targets or (read_contract(version_dir)["serving_target"] if has_contract else opsets.known_targets()[:1])
    )
    inspection.check_graph(graph, samples.inputs([]), targets)
    if has_contract:
        inspection.check_version(version_dir, graph, targets, preprocessor)
    requests = _requests(inspection.signatures_of(graph), samples)
    status, answers = clean_process.ask(version_dir, list(requests.values()), scratch)
    if status["status"] != "ok":
        raise ProofRefused(f"{status['stage']}: {status['culprit']}")
    contract = read_contract(version_dir)
    answers = dict(zip(requests, (arrays for _, arrays in answers), strict=True))
    if answers.pop(("contract", ()))["value"].tolist() != [(version_dir / CONTRACT_FILE).read_bytes(), b""]:
        raise ProofRefused(f"the signature contract does not answer with the text of {CONTRACT_FILE}")
    figures = compare.compare(samples, answers, TOLERANCE)
    return _document(version_dir, contract, samples, status, figures)


def _requests(definitions, samples):
    """`{(kind, rows): (signature, inputs)}` of all that the clean process is asked; see trainer/export/compare.py."""
    requests, singles = {}, samples.singles()
    for rows in batches(samples.rows()):
        requests["batch", rows] = ("serving_default", _texts(samples, rows))
    for row in singles:
        requests["alone", (row,)] = ("serving_default", _texts(samples, (row,)))
    few = tuple(spread(singles[: len(singles) - samples.oversized], _VECTORS))
    if "embed" in definitions:
        for rows in [few, *((row,) for row in few)]:
            requests["embed", rows] = ("embed", _texts(samples, rows))
    if "classify" in definitions:
        for rows in batches(singles[: len(singles) - samples.oversized]):
            examples = [example.SerializeToString() for example in warmup.examples(samples.inputs(rows))]
            requests["classify", rows] = ("classify", {"inputs": strings(examples)})
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
        "hostile": len(samples.texts) - samples.dev,
        **dataclasses.asdict(figures),
        "tolerance": TOLERANCE,
        "warmup_records": status["warmup_records"],
        "vocabulary": contract["fingerprints"]["vocabulary"],
        "serving_target": contract["serving_target"],
        "tensorflow": status["tensorflow"],
    }
