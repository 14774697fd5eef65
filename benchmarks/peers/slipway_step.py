"""Our side of step_vs_peers: the very step that trainer.loop.fit compiles, through trainer.loop.accelerator."""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from benchmarks.peers.answering import answer, timed
from benchmarks.peers.random_tokens import config_of


def prepare(encoder, precision):
    """Request {batch, length, steps} to {seconds, settings} and, where it asks for a profile, {categories}."""
    from trainer import allocator

    allocator.keep_memory()  # as trainer.main does, before TensorFlow has threads

    import keras

    from benchmarks.peers.keras_step import step_on
    from benchmarks.peers.op_seconds import op_seconds
    from trainer.config import Config
    from trainer.loop import accelerator as accelerators
    from trainer.loop.fit import Run, compiled
    from trainer.modes import job

    longest = config_of(encoder)["max_position_embeddings"]
    config = Config.from_flat({"encoder": encoder, "precision": precision, "device": "cpu", "sequence_length": longest})
    accelerator = accelerators.choose(config)
    with accelerator.training():
        keras.utils.set_random_seed(config.run.seed)  # of the dropout layers, as in trainer.modes.train
        accelerator, loaded = accelerator.with_encoder(job.open_encoder(config), config)
        task = job.make_task(config, {"labels": ["negative", "positive"]})
        model = compiled(Run(config, task, None, None, loaded, accelerator, None), steps=100_000)

    def reply_to(request):
        with accelerator.training():
            step = step_on(model, encoder, request["batch"], request["length"], any_shape=True)
            reply = {"seconds": timed(step, request["steps"], warm_up=1), "settings": accelerator.settings()}
            return reply | ({"categories": op_seconds(step, request["steps"])} if request.get("profile") else {})

    return reply_to


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    given = parser.parse_args()
    answer(lambda: prepare(given.encoder, given.precision), ["tensorflow", "keras", "keras-hub"])
