"""The peer of the quality benchmark starts where our own run starts."""

import numpy as np

from benchmarks.starting_point import starting_point
from tests.commands import run_main
from trainer import flags
from trainer.inputs.batching import shuffled
from trainer.modes import job
from trainer.modes.workdir import open_workdir


def test_head_and_order_are_those_of_the_run(bert_folder, reviews, tmp_path):
    given = (f"--encoder={bert_folder}", f"--data={reviews}", f"--workdir={tmp_path / 'run'}", "--sequence_length=24")
    given += ("--device=cpu", "--precision=float32", "--epochs=2", "--seed=5", "--noexport", "--doctor=off")
    config = flags.parse([*given, "--learning_rate=1e-10"])
    start = starting_point(config)
    assert start["kernel"].std() > 0.01 and not start["bias"].any()

    assert run_main(*given, "--learning_rate=1e-10").code == 0  # moves nothing: what it saves is what it began with
    with open_workdir(config) as workdir:
        kernel, bias = job.Trained(config, workdir).model.get_layer("logits").get_weights()
    np.testing.assert_allclose(start["kernel"], kernel, atol=1e-7)
    np.testing.assert_allclose(start["bias"], bias, atol=1e-7)

    rows = len(start["order"][0])
    for epoch, order in enumerate(start["order"]):
        batches = shuffled(np.ones(rows, np.int64), config.input.batch_size, 5, epoch)
        np.testing.assert_array_equal(np.concatenate([batch.rows for batch in batches]), order)
    assert (start["order"][0] != start["order"][1]).any()
