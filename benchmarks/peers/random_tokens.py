"""Full batches of random tokens: what every side of step_vs_peers trains on."""

import json
import pathlib

import numpy as np


def random_tokens(encoder, batch, length):
    """(token ids `<int32>[batch, length]`, two labels `<int32>[batch]`) in the vocabulary of a Hugging Face folder."""
    draw = np.random.default_rng(0)
    vocabulary = config_of(encoder)["vocab_size"]
    ids = draw.integers(vocabulary // 20, vocabulary, (batch, length), dtype=np.int32)  # no special tokens
    return ids, draw.integers(0, 2, batch, dtype=np.int32)


def config_of(encoder):
    """config.json of a Hugging Face folder."""
    return json.loads((pathlib.Path(encoder) / "config.json").read_text(encoding="utf-8"))
