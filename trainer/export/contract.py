"""contract.json of a version about to be written: what it takes and gives, of what it was made, where it may run."""

import datetime
import hashlib
import importlib.metadata
import json
import pathlib

import tensorflow as tf

from serving.contract import SCHEMA_VERSION
from trainer.models.preprocessor import TEXT_BYTES

_ROOMS = ("export", "models", "tasks")  # whose code shapes the graph


def origin(task, model, encoder, *, model_name, targets, data_fingerprint, precision="float32"):
    """The part of the contract that is known before the graph is written; equal origins give equal versions."""
    return {
        "schema_version": SCHEMA_VERSION,
        "model_name": model_name,
        "task": task.name,
        "slipway": _slipway(),
        "tensorflow": tf.__version__,
        "encoder": {
            "name": encoder.name,
            "revision": encoder.revision,
            "licence": encoder.licence,
            "class": type(encoder.backbone).__name__,
            "parameters": encoder.backbone.count_params(),
        },
        "fingerprints": {
            "vocabulary": encoder.preprocessor.fingerprint,
            "data": data_fingerprint,
            "weights": weights_fingerprint(model),
        },
        "labels": list(task.labels),
        "decisions": task.decisions.to_dict(),
        **task.stated(),
        "limits": {"tokens": encoder.preprocessor.sequence_length, "text_bytes": TEXT_BYTES},
        "precision": precision,
        "serving_target": list(targets),
    }


def complete(origin, ops, signatures):
    """contract.json as a dict."""
    created = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return origin | {"created": created, "ops": sorted(ops), "signatures": signatures}


def text(contract):
    """The contract as it stands in contract.json and in the signature `contract`."""
    return json.dumps(contract, indent=1, ensure_ascii=True) + "\n"


def version_fingerprint(origin, proof):
    """Name of the export folder: what the version is made of, the code that makes it, and how much was compared.

    proof: list of what says how much was compared.
    """
    digest = hashlib.sha256(json.dumps([origin, proof], sort_keys=True).encode())
    trainer = pathlib.Path(__file__).parent.parent
    for room in _ROOMS:
        for source in sorted((trainer / room).glob("*.py*")):
            if source.is_file():
                digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def weights_fingerprint(model):
    """`sha256:…` of all weights of a model, in its order of them; dropout's random state serves nobody."""
    digest = hashlib.sha256()
    for variable in model.weights:
        array = variable.numpy()
        digest.update(f"{array.dtype} {array.shape} ".encode())
        digest.update(array.tobytes())
    return "sha256:" + digest.hexdigest()


def _slipway():
    try:
        return importlib.metadata.version("slipway-serving")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout that was not installed
        return "unknown"
