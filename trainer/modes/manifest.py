"""manifest.json: what really ran, as far as another machine needs it to do the same."""

import importlib.metadata
import platform
import sys
import time

import keras
import tensorflow as tf


def describe(config, corpus, encoder, accelerator):
    """The manifest of a run that begins, as a dict: settings that took effect, data, encoder, seeds and versions."""
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "command": sys.argv,
        "settings": accelerator.settings(),
        "seeds": {"run": config.run.seed, "split": config.data.split_seed},
        "data": {
            "fingerprint": corpus.fingerprint,
            "rows": {name: len(table) for name, table in corpus.splits.named().items()},
            "labels": list(corpus.labels),
        },
        "encoder": {
            "name": encoder.name,
            "revision": encoder.revision,
            "licence": encoder.licence,
            "vocabulary": encoder.preprocessor.fingerprint,
        },
        "versions": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
        },
        "packages": sorted(f"{d.metadata['Name']}=={d.version}" for d in importlib.metadata.distributions()),
    }


def shapes(batches):
    """How many shapes these batches have, each of which XLA compiles where it compiles the step, and the widest."""
    found = {(batch.size, batch.width) for batch in batches}
    return {"distinct": len(found), "widest": max((width for _, width in found), default=0)}
