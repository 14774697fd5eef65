"""Where a Slipway run of the quality benchmark starts, as a file for its peer: head and order of rows.

    python -m benchmarks.starting_point OUTPUT.npz --data=FOLDER --seed=1 … (the run's flags of trainer.main)

Two runs from the same head over the same batches differ by their dropout alone, so that three seeds a side say more of
the two trainers than of the draw. kernel `<float32>[hidden, labels]`, bias `<float32>[labels]`, order
`<int64>[epochs, rows]`: the row that comes at each place of each epoch.
"""

import sys

import keras
import numpy as np

from trainer import flags
from trainer.inputs.batching import shuffled
from trainer.loop import accelerator as accelerators
from trainer.modes import job


def starting_point(config):
    """{"kernel", "bias", "order"} of the run that `config` describes, as trainer.modes.train and loop.fit draw them."""
    corpus = job.read_corpus(config)
    accelerator = accelerators.choose(config)
    with accelerator.training():
        keras.utils.set_random_seed(config.run.seed)
        _, encoder = accelerator.with_encoder(job.open_encoder(config), config)
        keras.utils.set_random_seed(config.run.seed)
        model = job.make_task(config, corpus.learned).build(encoder)
    kernel, bias = model.get_layer("logits").get_weights()
    rows = np.zeros(len(corpus.splits.train), np.int64)
    epochs = range(config.optimizer.epochs)
    batches = [shuffled(rows, config.input.batch_size, config.run.seed, epoch) for epoch in epochs]
    order = np.stack([np.concatenate([batch.rows for batch in epoch]) for epoch in batches])
    return {"kernel": kernel, "bias": bias, "order": order}


if __name__ == "__main__":
    np.savez(sys.argv[1], **starting_point(flags.parse(sys.argv[2:])))
