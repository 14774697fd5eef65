"""What a run makes of its flags and of the machine; what is not there is said at once."""

import dataclasses

import keras
import keras_hub
import pytest
import tensorflow as tf

from trainer.config import Config, EnvironmentFault, UserError
from trainer.loop import accelerator
from trainer.loop.accelerator import check_compiled, choose
from trainer.models.encoder import Encoder, load_encoder

ALBERT = {
    "vocabulary_size": 9,
    "num_layers": 1,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 16,
    "embedding_dim": 8,
}


@pytest.fixture(autouse=True)
def no_other_device(monkeypatch):
    """The tests are of a machine with a CPU alone, whatever this one has."""
    monkeypatch.setattr(accelerator, "_has_tpu", lambda: False)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])


def chosen(**flags):
    return choose(Config.from_flat({"precision": "float32", **flags}))


def test_a_cpu_takes_any_shape_and_compiles_the_update_alone():
    found = chosen()
    assert (found.device, found.replicas, found.distributed) == ("cpu", 1, False)
    assert (found.batching, found.jit_step, found.jit_update, found.required) == ("random", False, True, False)
    assert found.settings()["xla"] == "optimizer update"


@pytest.mark.parametrize(
    "xla, step, update, required, batching",
    [
        ("off", False, False, False, "random"),
        ("on", True, False, False, "buckets"),
        ("require", True, False, True, "buckets"),
    ],
)
def test_xla(xla, step, update, required, batching):
    found = chosen(xla=xla)
    assert (found.jit_step, found.jit_update, found.required, found.batching) == (step, update, required, batching)


def test_precision_follows_the_hardware(monkeypatch):
    for amx, precision in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(accelerator, "cpu_has_bfloat16", lambda amx=amx: amx)
        assert chosen(precision="auto").precision == precision
        assert chosen(precision="bfloat16").precision == "bfloat16"


@pytest.mark.parametrize("device, hint", [("gpu", r"slipway-serving\[gpu\]"), ("tpu", r"slipway-serving\[tpu\]")])
def test_a_device_that_is_not_there(device, hint):
    with pytest.raises(EnvironmentFault, match=rf"--device={device}: .*{hint}.*or give --device=cpu") as caught:
        chosen(device=device)
    assert caught.value.exit_code == 5 and "\n" not in str(caught.value)


def test_pools_and_a_compiled_step_contradict_each_other():
    with pytest.raises(UserError, match="--batching=pools with --xla=on .*give --batching=buckets, or --xla=off"):
        chosen(xla="on", batching="pools")


def test_batches_divide_over_the_devices():
    config = Config.from_flat({"batch_size": 32, "eval_batch_size": 64})
    accelerator._check_division(config, 2, "buckets")
    for flags, said in (({"batch_size": 33}, "--batch_size=33"), ({"eval_batch_size": 65}, "--eval_batch_size=65")):
        with pytest.raises(UserError, match=f"{said} does not divide over 2 devices"):
            accelerator._check_division(Config.from_flat(flags), 2, "buckets")
    with pytest.raises(UserError, match="--batching=pools does not divide over 2 devices"):
        accelerator._check_division(config, 2, "pools")


def test_training_gives_back_policy_and_switches_even_after_an_error():
    gpu = dataclasses.replace(chosen(), device="gpu", precision="bfloat16")
    cpu = dataclasses.replace(chosen(), precision="bfloat16")
    with gpu.training():
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    with pytest.raises(KeyError), cpu.training():
        assert tf.config.optimizer.get_experimental_options()[accelerator._AMP]
        assert keras.config.dtype_policy().name == "float32"
        raise KeyError
    assert keras.config.dtype_policy().name == "float32"
    assert not tf.config.optimizer.get_experimental_options()[accelerator._AMP]


def one_step(**compiled):
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse", **compiled)
    model.fit(tf.zeros([2, 2]), tf.zeros([2, 1]), verbose=0)
    return model


def test_compiled_is_what_tensorflow_compiled():
    check_compiled(one_step(jit_compile=True))
    for compiled in ({"jit_compile": False}, {"jit_compile": False, "run_eagerly": True}):
        with pytest.raises(EnvironmentFault, match="--xla=require: the train step was not compiled"):
            check_compiled(one_step(**compiled))


def test_a_step_that_runs_eagerly_is_not_compiled():
    tf.config.run_functions_eagerly(True)
    try:
        with pytest.raises(EnvironmentFault):
            check_compiled(one_step(jit_compile=True))
    finally:
        tf.config.run_functions_eagerly(False)


def test_plain_speed_leaves_every_lever_out_but_those_that_a_flag_gives():
    plain = choose(Config.from_flat({"speed": "plain"}))
    assert (plain.precision, plain.jit_step, plain.jit_update, plain.batching) == ("float32", False, False, "random")
    given = choose(Config.from_flat({"speed": "plain", "precision": "bfloat16", "batching": "pools"}))
    assert (given.precision, given.jit_update, given.batching) == ("bfloat16", False, "pools")


@pytest.mark.parametrize(
    "flags, unpadded, batching",
    [
        ({}, True, "random"),
        ({"unpadded": "off"}, False, "pools"),
        ({"speed": "plain"}, False, "random"),
        ({"speed": "plain", "unpadded": "on"}, True, "random"),
        ({"batching": "pools"}, True, "pools"),
        ({"batching": "buckets"}, False, "buckets"),
    ],
)
def test_real_tokens_alone_where_shapes_may_be_any(bert_folder, tmp_path, flags, unpadded, batching):
    config = Config.from_flat({"precision": "bfloat16", **flags})
    found, encoder = choose(config).with_encoder(load_encoder(str(bert_folder), tmp_path, 16), config)
    assert (found.unpadded, found.batching) == (unpadded, batching)
    assert encoder.unpadded == ({"precision": "bfloat16", "compiled": found.jit_update} if unpadded else None)


def test_grappler_rewrites_what_does_not_compute_in_bfloat16_by_itself(bert_folder, tmp_path):
    for flags, rewritten in (({}, False), ({"unpadded": "off"}, True), ({"precision": "float32"}, False)):
        config = Config.from_flat({"precision": "bfloat16", **flags})
        found, _ = choose(config).with_encoder(load_encoder(str(bert_folder), tmp_path, 16), config)
        with found.training():
            assert tf.config.optimizer.get_experimental_options().get(accelerator._AMP, False) is rewritten


def test_real_tokens_alone_where_it_cannot_be():
    with pytest.raises(UserError, match="--unpadded=on needs batches of any shape.*give --batching=random"):
        chosen(unpadded="on", batching="buckets")
    albert = Encoder(keras_hub.models.AlbertBackbone(**ALBERT), None, False, "albert", "", "")
    config = Config.from_flat({"unpadded": "on"})
    with pytest.raises(UserError, match="--unpadded=on: albert is a AlbertBackbone.*give --unpadded=auto"):
        choose(config).with_encoder(albert, config)
