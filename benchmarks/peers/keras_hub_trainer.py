"""KerasHub's side of train_vs_peers: BertTextClassifier.fit on raw text, with its own preprocessor.

Rows are padded to the 99th percentile of the training rows' tokens, as a user of KerasHub would choose the length; it
pads every row to it. It reads train.jsonl, dev.jsonl and test.jsonl and writes one JSON file of the shape that
benchmarks.reference_trainer writes. Seconds are wall clock, those of training with tokenization in the pipeline.
"""

import argparse
import json
import os
import pathlib
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
SPLITS = ("train", "dev", "test")


def read_split(folder, split):
    """Rows of one .jsonl file, as dicts."""
    with open(pathlib.Path(folder) / f"{split}.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def run(args):
    """Trains and evaluates once; returns the record."""
    import keras_hub
    import numpy as np

    from benchmarks.peers.keras_hub_step import classifier

    rows = {split: read_split(args.data, split) for split in SPLITS}
    labels = sorted({row["label"] for row in rows["train"]})
    targets = {split: np.array([labels.index(row["label"]) for row in rows[split]]) for split in SPLITS}
    texts = {split: np.array([row["text"] for row in rows[split]], object) for split in SPLITS}
    tokenizer = keras_hub.models.BertTokenizer(f"{args.encoder}/vocab.txt", lowercase=True)
    lengths = [len(ids) + 2 for ids in tokenizer(texts["train"].tolist())]  # [CLS] and [SEP]
    length = min(args.max_length, int(np.percentile(lengths, 99)))
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=length)
    model = classifier(args.encoder, args.policy, preprocessor, args.learning_rate, len(labels))
    start, cpu = time.perf_counter(), time.process_time()
    model.fit(texts["train"], targets["train"], batch_size=args.batch_size, epochs=args.epochs, verbose=0)
    seconds = time.perf_counter() - start
    speed = {"examples_per_second": len(rows["train"]) * args.epochs / seconds, "seconds": seconds}
    record = {"train": speed | {"cpu_seconds": time.process_time() - cpu}, "sequence_length": length}
    for split in ("dev", "test"):
        found = model.evaluate(texts[split], targets[split], batch_size=64, verbose=0, return_dict=True)
        record[split] = {name: float(found[name]) for name in ("accuracy", "loss")}
    return record


def main():
    """Reads the command line, runs, and writes the record in one rename."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("data", "encoder", "output"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--policy", choices=("float32", "mixed_bfloat16"), required=True)
    for name in ("epochs", "batch_size", "max_length"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--learning_rate", type=float, required=True)
    args = parser.parse_args()
    unfinished = pathlib.Path(args.output + ".unfinished")
    unfinished.write_text(json.dumps(run(args), indent=1), encoding="utf-8")
    unfinished.replace(args.output)


if __name__ == "__main__":
    main()
