"""manifest.json: what really ran, as far as another machine needs it to do the same."""

import importlib.metadata
import platform
import sys
import time

import keras
import tensorflow as tf

from trainer.models import islands


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
            "labels": corpus.learned.get("labels", []),
            "label_counts": corpus.label_counts,
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


def shapes(batches, lengths, accelerator):
    """How many shapes these batches have, the widest, and for how many XLA compiles a program.

    Of a whole step that is one for each shape; of activations over real tokens one for each multiple of 64 tokens that
    a batch fills up to; of the optimizer's update alone one, whatever comes.
    """
    batches = list(batches)
    found = {(batch.size, batch.width) for batch in batches}
    compiled = len(found) if accelerator.jit_step else int(accelerator.jit_update)
    if accelerator.jit_activations:
        compiled = len({islands.filled(int(lengths[batch.rows].sum())) for batch in batches})
    return {"distinct": len(found), "widest": max((width for _, width in found), default=0), "compiled": compiled}
