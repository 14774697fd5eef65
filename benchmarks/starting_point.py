"""Where a Slipway run of the quality benchmark starts, as a file for its peer: head and order of rows.

    python -m benchmarks.starting_point OUTPUT.npz --data=FOLDER --seed=1 … (the run's flags of trainer.main)

Two runs from the same head over the same batches differ by their dropout alone, so that three seeds a side say more of
the two trainers than of the draw. kernel `<float32>[hidden, labels]`, bias `<float32>[labels]`, order
`<int64>[epochs, rows]`: the row that comes at each place of each epoch. A text that ours alone reads in windows comes
once, where its first window does; where both sides do, rows are windows.
"""

import sys

import keras
import numpy as np

from trainer import flags
from trainer.inputs.answers import Answers
from trainer.inputs.batching import shuffled
from trainer.inputs.window_rows import window_tokens
from trainer.loop import accelerator as accelerators
from trainer.modes import job
from trainer.tasks.windowed import WindowedTask


def starting_point(config):
    """{"kernel", "bias", "order"} of the run that `config` describes, as trainer.modes.train and loop.fit draw them."""
    corpus = job.read_corpus(config)
    accelerator = accelerators.choose(config)
    with accelerator.training():
        keras.utils.set_random_seed(config.run.seed)
        _, encoder = accelerator.with_encoder(job.open_encoder(config), config)
        keras.utils.set_random_seed(config.run.seed)
        task = job.make_task(config, corpus.learned)
        model = task.build(encoder)
    kernel, bias = model.get_layer("logits").get_weights()
    text_of = texts_of_rows(task, encoder.preprocessor, corpus.splits.train)
    epochs = range(config.optimizer.epochs)
    lengths = np.zeros_like(text_of)  # random batches do not ask for them
    batches = [shuffled(lengths, config.input.batch_size, config.run.seed, epoch) for epoch in epochs]
    order = np.stack([text_of[np.concatenate([batch.rows for batch in epoch])] for epoch in batches])
    return {"kernel": kernel, "bias": bias, "order": order[order >= 0].reshape(len(order), -1)}


def texts_of_rows(task, preprocessor, table):
    """`<int64>[rows]`: the peer's row of each row that is trained on; −1 for a window that it does not read.

    The peer reads what is tagged up to its first window's end, and what answers questions in windows as ours does.
    """
    if not isinstance(task, WindowedTask):
        return np.arange(len(table))
    text_of = window_tokens(task.preprocess(preprocessor), table.texts, table.pairs).text.astype(np.int64)
    if task.column == Answers.name:
        return np.arange(len(text_of))
    return np.where(np.diff(text_of, prepend=-1) > 0, text_of, -1)


if __name__ == "__main__":
    np.savez(sys.argv[1], **starting_point(flags.parse(sys.argv[2:])))
