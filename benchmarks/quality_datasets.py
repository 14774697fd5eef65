"""The data sets of the quality benchmark: their files, their columns, what is learned from them and for how long."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Files and columns of a data set, and the setting that it is compared at.

    task: classification, regression (the label is a number), multi_label (the label is a list, or absent), tagging (of
    tags or spans, see quality_spans.py) or span_qa (SQuAD's own files). train, dev, test: names of these files, without
    ending; dev may be "". header:
    columns of files that do not name them. whole: name of the only file, which is split by `fold`, a column, or else by
    label. out_of_scope: name of a file of texts that belong to no label. folder: under --dataset=all. max_train_rows: 0
    takes all of them. learning_rate: its peak.
    """

    text: str
    label: str
    epochs: int
    text_pair: str = ""
    task: str = "classification"
    train: str = "train"
    dev: str = "dev"
    test: str = "test"
    header: tuple[str, ...] = ()
    whole: str = ""
    fold: str = ""
    out_of_scope: str = ""
    folder: str = ""
    max_train_rows: int = 0
    max_length: int = 128
    learning_rate: float = 5e-5


def _nlupp(domain):
    """nlu++ in one domain: some thousand rows and forty labels, most of them rare. In forty epochs at 5e-5 the
    reference brings none of them over 0.5 (hotels, seed 1: micro F1 0 on test), at 5e-4 it has 40.4."""
    rare = {"epochs": 40, "learning_rate": 5e-4}
    return Dataset("text", "intents", **rare, task="multi_label", whole=domain, fold="fold", folder="nlupp")


_STSB = ("genre", "filename", "year", "number", "score", "sentence1", "sentence2")
_FEW = 4000  # training rows: what a first labelled set has, and minutes on a CPU

DATASETS = {
    "quickstart": Dataset(text="text", label="label", epochs=2),
    "sst2": Dataset(text="sentence", label="label", epochs=2),
    "banking77": Dataset(text="text", label="category", epochs=4),
    "mrpc": Dataset(text="#1 String", text_pair="#2 String", label="Quality", epochs=3),
    "emotion": Dataset(text="text", label="label", epochs=3, dev="validation", max_train_rows=_FEW),
    "financial_phrasebank": Dataset(
        text="sentence", label="label", epochs=3, whole="Sentences_50Agree", max_train_rows=_FEW
    ),
    "clinc150": Dataset(
        text="text", label="intent", epochs=10, dev="val", out_of_scope="oos_test", max_train_rows=_FEW
    ),
    "stsb": Dataset("sentence1", "score", epochs=3, text_pair="sentence2", task="regression", header=_STSB),
    "nlupp_banking": _nlupp("banking"),
    "nlupp_hotels": _nlupp("hotels"),
    "conll2003": Dataset("words", "tags", epochs=3, task="tagging", max_train_rows=_FEW),
    "snips_intent": Dataset("tokens", "intent", epochs=3, dev="valid", folder="snips", max_train_rows=_FEW),
    "snips_slots": Dataset(
        "tokens", "slots", epochs=10, task="tagging", dev="valid", folder="snips", max_train_rows=_FEW
    ),
    "squad": Dataset(
        "question",
        "answers",
        epochs=3,
        text_pair="context",
        task="span_qa",
        train="train_subset_v1.1_clean",
        dev="",
        test="dev_half_v2.0",
        max_length=384,
    ),
    "cluener2020": Dataset("text", "label", epochs=3, task="tagging", dev="", test="dev", max_train_rows=_FEW),
}
