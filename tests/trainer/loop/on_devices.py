"""`python -m tests.trainer.loop.on_devices COUNT ENCODER WORKDIR`: a run without dropout on COUNT virtual CPUs.

Prints one JSON object: replicas, evaluations, and the logits of all dev rows, none of which fill a batch.
"""

import json
import pathlib
import sys

import keras
import tensorflow as tf

from tests import tiny_reviews
from trainer.config import Config
from trainer.inputs.pipeline import Rows
from trainer.inputs.tokens import tokenize
from trainer.loop import accelerator
from trainer.loop.evaluate import Evaluator
from trainer.loop.fit import Run, fit
from trainer.models.encoder import load_encoder
from trainer.tasks import TASKS


def main(count, folder, workdir):
    split = [tf.config.LogicalDeviceConfiguration()] * int(count)
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], split)
    config = Config.from_flat(
        {
            "sequence_length": 24,
            "batch_size": 8,
            "eval_batch_size": 8,
            "epochs": 2,
            "learning_rate": 1e-2,
            "dropout": 0.0,
        }
        | {"pooling": "mean", "precision": "float32", "device": "cpu", "batching": "buckets"}
    )
    chosen = accelerator.choose(config)
    task = TASKS["classification"](("negative", "positive"), False, config.model)
    with chosen.training():
        keras.utils.set_random_seed(config.run.seed)
        encoder = load_encoder(folder, workdir, 24)
        for layer in encoder.backbone._flatten_layers():
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0
    train, dev = (read(count, seed, task, encoder) for count, seed in ((88, 1), (25, 2)))
    progress = fit(Run(config, task, train, dev, encoder, chosen, pathlib.Path(workdir)))
    with chosen.training():
        logits = Evaluator(task.build(encoder), "buckets", 8, chosen.distributed).logits(dev)
    report = {"replicas": chosen.replicas, "evaluations": progress.evaluations, "logits": logits.tolist()}
    report["curve"] = progress.curve
    print(json.dumps(report | {"examples": progress.trained_examples}))


def read(count, seed, task, encoder):
    texts, labels = zip(*tiny_reviews.rows(count, seed), strict=True)
    return Rows(tokenize(encoder.preprocessor, list(texts)), encoder.preprocessor, task.targets(labels))


if __name__ == "__main__":
    main(*sys.argv[1:])
