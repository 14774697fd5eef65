"""What a run makes of its flags and of the machine; what is not there is said at once."""

import dataclasses

import keras
import pytest
import tensorflow as tf

from trainer.config import Config, EnvironmentFault, UserError
from trainer.loop import accelerator
from trainer.loop.accelerator import check_compiled, choose


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
    assert (found.batching, found.jit_step, found.jit_update, found.required) == ("pools", False, True, False)
    assert found.settings()["xla"] == "optimizer update"


@pytest.mark.parametrize(
    "xla, step, update, required, batching",
    [
        ("off", False, False, False, "pools"),
        ("on", True, False, False, "buckets"),
        ("require", True, False, True, "buckets"),
    ],
)
def test_xla(xla, step, update, required, batching):
    found = chosen(xla=xla)
    assert (found.jit_step, found.jit_update, found.required, found.batching) == (step, update, required, batching)


def test_precision_follows_the_hardware(monkeypatch):
    for amx, precision in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(accelerator, "cpu_has_amx", lambda amx=amx: amx)
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
