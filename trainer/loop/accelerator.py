"""What the hardware gives, and what a run makes of it: devices, precision, XLA and the shape of the batches."""

import contextlib
import dataclasses
import inspect
import pathlib
from typing import Any

import keras
import tensorflow as tf

from trainer import allocator
from trainer.config import EnvironmentFault, UserError
from trainer.loop import levers

_BFLOAT16_GPU = (8, 0)  # compute capability from which a GPU multiplies bfloat16
_AMP = "auto_mixed_precision_onednn_bfloat16"


@dataclasses.dataclass(frozen=True)
class Accelerator:
    """device: cpu, gpu or tpu; strategy: tf.distribute.Strategy; precision: float32 or bfloat16;
    jit_step, jit_update: what XLA compiles; batching: random, pools or buckets; required: XLA must really run;
    unpadded: the encoder computes over real tokens alone, and in `precision` by itself."""

    device: str
    strategy: Any
    precision: str
    jit_step: bool
    jit_update: bool
    batching: str
    required: bool
    unpadded: bool = False

    @property
    def replicas(self):
        return self.strategy.num_replicas_in_sync

    @property
    def distributed(self):
        return self.replicas > 1 or self.device == "tpu"

    @property
    def jit_activations(self):
        """Whether XLA compiles the activations by themselves, see trainer/models/islands.py."""
        return self.unpadded and self._can_compile_islands

    @property
    def _can_compile_islands(self):
        return self.jit_update and self.device == "cpu"

    @contextlib.contextmanager
    def training(self):
        """Within it, models are built for and trained in `precision`; weights are float32 throughout.

        GPU and TPU use Keras' mixed_bfloat16 policy. On CPU grappler rewrites a padded encoder's graph for oneDNN
        instead, which is faster there; that switch is process-wide, so proofs and final evaluations must run outside
        of this.
        """
        policy, amp = keras.config.dtype_policy(), tf.config.optimizer.get_experimental_options().get(_AMP, False)
        if self.precision == "bfloat16" and self.device == "cpu":
            tf.config.optimizer.set_experimental_options({_AMP: not self.unpadded})
        elif self.precision == "bfloat16":
            keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            with self.strategy.scope():
                yield
        finally:
            keras.config.set_dtype_policy(policy)
            tf.config.optimizer.set_experimental_options({_AMP: amp})

    def with_encoder(self, encoder, config):
        """(Accelerator, Encoder) as they go together where the flags leave it to them.

        Where shapes may be any, the encoder computes over real tokens alone; one that does not is better served with
        batches of like length. Raises UserError where --unpadded=on asks for what its kind cannot.
        """
        asked = levers.asked(config)
        if self.batching == "buckets":
            return self, encoder
        if asked["unpadded"] != "off":
            encoder = encoder.over_real_tokens(precision=self.precision, compiled=self._can_compile_islands)
        unpadded = encoder.unpadded is not None
        if asked["unpadded"] == "on" and not unpadded:
            raise UserError(
                f"--unpadded=on: {encoder.name} is a {type(encoder.backbone).__name__}, which needs padded batches; "
                "give --unpadded=auto, or a BERT, RoBERTa, DistilBERT or XLM-R encoder"
            )
        sort = asked["batching"] == "auto" and not unpadded
        return dataclasses.replace(self, unpadded=unpadded, batching="pools" if sort else self.batching), encoder

    def settings(self):
        """What really runs, for the plan and the manifest."""
        update = "optimizer update" + (", activations" if self.jit_activations else "")
        return {
            "device": self.device,
            "replicas": self.replicas,
            "precision": self.precision,
            "xla": "step" if self.jit_step else update if self.jit_update else "off",
            "batching": self.batching,
            "unpadded": self.unpadded,
            "allocator": "keeps memory" if allocator.keeps_memory() else "system",
        }


def choose(config):
    """The Accelerator that the flags and this machine allow.

    Raises:
        EnvironmentFault: a device was asked for that is not there.
        UserError: settings that contradict each other.
    """
    confine(config)
    device = config.device.device if config.device.device != "auto" else _best_device()
    strategy = _STRATEGIES[device]()
    asked = levers.asked(config)
    jit_step = asked["xla"] in ("on", "require") or (asked["xla"] == "auto" and device != "cpu")
    batching = asked["batching"]
    if batching == "auto":
        any_shape = device == "cpu" and not jit_step and strategy.num_replicas_in_sync == 1
        batching = "random" if any_shape else "buckets"
    _check_shapes(config, device, jit_step, batching)
    _check_division(config, strategy.num_replicas_in_sync, batching)
    return Accelerator(
        device=device,
        strategy=strategy,
        precision=_precision(asked["precision"], device),
        jit_step=jit_step,
        jit_update=asked["xla"] != "off" and not jit_step,
        batching=batching,
        required=asked["xla"] == "require",
    )


def confine(config):
    """With --device=cpu hides the GPUs, which TensorFlow would use all the same; too late once it has used one."""
    if config.device.device == "cpu":
        with contextlib.suppress(RuntimeError):
            tf.config.set_visible_devices([], "GPU")


def _check_shapes(config, device, jit_step, batching):
    if jit_step and batching != "buckets":
        raise UserError(
            f"--batching={batching} with --xla={config.device.xla} on {device} would compile each shape anew; "
            "give --batching=buckets, or --xla=off"
        )
    if config.device.unpadded == "on" and batching == "buckets":
        raise UserError(
            "--unpadded=on needs batches of any shape, and this run has static ones; "
            "give --batching=random with --xla=off, or --unpadded=auto"
        )


def _check_division(config, replicas, batching):
    if replicas > 1 and batching != "buckets":
        raise UserError(f"--batching={batching} does not divide over {replicas} devices; give --batching=buckets")
    for name in ("batch_size", "eval_batch_size"):
        given = getattr(config.input, name)
        if given % replicas:
            raise UserError(f"--{name}={given} does not divide over {replicas} devices; give a multiple")


def check_compiled(model):
    """Raises EnvironmentFault unless the train step that `model` just took was one XLA program (--xla=require).

    TensorFlow compiles a function that is marked so, or fails; what must be looked for is the mark on Keras' step.
    """
    step = inspect.getclosurevars(model.train_function).nonlocals.get("multi_step_on_iterator")
    traces = step._list_all_concrete_functions() if hasattr(step, "_list_all_concrete_functions") else []
    functions = [function for trace in traces for function in trace.graph.as_graph_def().library.function]
    if not any(f.attr["_XlaMustCompile"].b and "one_step_on_data" in f.signature.name for f in functions):
        raise EnvironmentFault("--xla=require: the train step was not compiled on this device; give --xla=auto")


def cpu_has_bfloat16():
    """Whether this CPU multiplies bfloat16 in hardware, by tiles or vectors; else bfloat16 is slower than float32."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    return cpuinfo.is_file() and any(flag in cpuinfo.read_text() for flag in ("amx_bf16", "avx512_bf16"))


def _best_device():
    if _has_tpu():
        return "tpu"
    return "gpu" if tf.config.list_physical_devices("GPU") else "cpu"


def _has_tpu():
    if tf.config.list_physical_devices("TPU"):
        return True
    return pathlib.Path("/dev/accel0").exists() or any(pathlib.Path("/dev/vfio").glob("[0-9]*"))


def _precision(asked, device):
    if asked != "auto":
        return asked
    if device == "tpu":
        return "bfloat16"
    if device == "cpu":
        return "bfloat16" if cpu_has_bfloat16() else "float32"
    details = [tf.config.experimental.get_device_details(d) for d in tf.config.list_physical_devices("GPU")]
    capable = all(d.get("compute_capability", (0, 0)) >= _BFLOAT16_GPU for d in details)
    return "bfloat16" if capable else "float32"


def _cpu():
    # Several CPUs only ever appear where a test or a debugging run split one into virtual devices.
    cpus = tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([c.name for c in cpus]) if len(cpus) > 1 else tf.distribute.get_strategy()


def _gpu():
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        raise EnvironmentFault(
            "--device=gpu: TensorFlow sees no GPU; install the driver and pip install 'slipway-serving[gpu]', "
            "check with nvidia-smi, or give --device=cpu"
        )
    return tf.distribute.MirroredStrategy() if len(gpus) > 1 else tf.distribute.get_strategy()


def _tpu():
    if not _has_tpu():
        raise EnvironmentFault(
            "--device=tpu: no TPU here; on Colab choose Runtime > Change runtime type > TPU and "
            "pip install 'slipway-serving[tpu]', or give --device=cpu"
        )
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu="local")
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, tf.errors.OpError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise EnvironmentFault(f"--device=tpu: the TPU did not start ({reason}); restart the runtime") from error


_STRATEGIES = {"cpu": _cpu, "gpu": _gpu, "tpu": _tpu}
