"""The peer of benchmarks.few_shot: one run of SetFit itself, in the bench environment.

It imports nothing of Slipway: what is measured here must not depend on the code that it is compared with. It reads
train.jsonl and test.jsonl (text, label), trains on the CPU as SetFit does by itself (pairs of rows, cosine loss, 1
epoch, 16 pairs a step, 2e-5, then scikit-learn's LogisticRegression) and writes one JSON file.
Source: https://arxiv.org/abs/2209.11055
"""

import argparse
import importlib.metadata
import json
import pathlib
import tempfile
import time

PACKAGES = ("setfit", "sentence-transformers", "transformers", "torch", "scikit-learn")


def read_rows(path):
    """Rows of one .jsonl file, as dicts."""
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def sentence_model(folder, length):
    """The sentence encoder of a Hugging Face folder: mean over tokens, then normalised, as all-MiniLM-L6-v2 is."""
    from sentence_transformers import SentenceTransformer, models

    tokens = models.Transformer(folder, max_seq_length=length)
    size = tokens.get_word_embedding_dimension()
    return SentenceTransformer(modules=[tokens, models.Pooling(size, "mean"), models.Normalize()], device="cpu")


def train(args, rows):
    """(SetFitModel, seconds) after SetFit's own training; `iterations` is its num_iterations."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments
    from sklearn.linear_model import LogisticRegression

    model = SetFitModel(sentence_model(args.encoder, args.max_length), LogisticRegression())
    with tempfile.TemporaryDirectory() as folder:
        own = TrainingArguments(
            output_dir=folder,
            seed=args.seed,
            num_iterations=args.iterations or None,
            report_to="none",
            save_strategy="no",
        )
        data = Dataset.from_dict({name: [row[name] for row in rows] for name in ("text", "label")})
        started = time.monotonic()
        Trainer(model=model, args=own, train_dataset=data).train()
    return model, time.monotonic() - started


def main():
    """Runs what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--iterations", type=int, required=True)
    parser.add_argument("--max_length", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    args = parser.parse_args()
    import torch

    torch.set_num_threads(args.threads)
    rows = {split: read_rows(pathlib.Path(args.data) / f"{split}.jsonl") for split in ("train", "test")}
    model, seconds = train(args, rows["train"])
    given = list(model.predict([row["text"] for row in rows["test"]]))
    right = sum(str(label) == row["label"] for label, row in zip(given, rows["test"], strict=True))
    result = {"accuracy": right / len(given), "seconds": seconds}
    result["versions"] = {name: importlib.metadata.version(name) for name in PACKAGES}
    pathlib.Path(args.output).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
