"""The reference side of quality_vs_transformers: one fine-tuning run by transformers' `Trainer` with its defaults.

It runs in the bench environment (torch, transformers, accelerate, numpy), never beside TensorFlow, and imports
nothing of Slipway: what is measured here must not depend on the code that it is compared with. It reads
train.jsonl, dev.jsonl and test.jsonl (text, optional text_pair, label, of spans words; as benchmarks.quality_rows
writes them) and, where it is there, out_of_scope.jsonl, trains on the CPU and writes one JSON file.
Left as Trainer has them: AdamW, linear decay to 0, no weight decay, gradient norm 1, dropout of the encoder's
config, the last epoch's weights. --start gives the head's first weights and the random order of the rows, so that both
sides begin at one point; without it Trainer draws its own. --group_by_length is Trainer's own option. Times are seconds
of wall clock.
"""

import argparse
import json
import os
import pathlib
import platform
import tempfile
import time

from benchmarks.reference_tasks import TASKS, top_probabilities

SPLITS = ("train", "dev", "test")
OUT_OF_SCOPE = "out_of_scope"


def read_rows(path):
    """Rows of one .jsonl file, as dicts."""
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Order:
    """Sampler of a given order, `<int>[epochs, rows]`: each pass takes the next epoch's."""

    def __init__(self, epochs):
        self.epochs, self.passes = epochs, 0

    def __len__(self):
        return self.epochs.shape[1]

    def __iter__(self):
        self.passes += 1
        return iter(self.epochs[self.passes - 1].tolist())


def start_at(trainer, head, start):
    """Gives the head its first weights and the rows their order, from the arrays of benchmarks.starting_point."""
    import torch

    with torch.no_grad():
        head = getattr(trainer.model, head)
        head.weight.copy_(torch.from_numpy(start["kernel"].T))
        head.bias.copy_(torch.from_numpy(start["bias"]))
    order, rows = Order(start["order"]), len(trainer.train_dataset)
    if len(order) != rows:
        raise RuntimeError(f"--start orders {len(order)} rows; here are {rows}")
    trainer._get_train_sampler = lambda *_: order
    return order


def by_length(transformers):
    """The setting that makes batches of rows of like length, by the name that this release has for it."""
    if "group_by_length" in transformers.TrainingArguments.__dataclass_fields__:
        return {"group_by_length": True}
    return {"train_sampling_strategy": "group_by_length"}


def build_trainer(args, task, rows, folder):
    """A Trainer with transformers' defaults, and the encoded splits by name."""
    import transformers

    transformers.set_seed(args.seed)  # before the head's first weights are drawn
    tokenizer = transformers.AutoTokenizer.from_pretrained(args.encoder)
    encoded = {split: task.encode(rows[split], tokenizer, args.max_length) for split in SPLITS}
    if OUT_OF_SCOPE in rows:
        encoded[OUT_OF_SCOPE] = task.encode(rows[OUT_OF_SCOPE], tokenizer, args.max_length, labelled=False)
    model = getattr(transformers, task.model).from_pretrained(args.encoder, **task.settings())
    settings = transformers.TrainingArguments(
        output_dir=folder,
        seed=args.seed,
        num_train_epochs=args.epochs,
        per_device_train_batch_size=args.batch_size,
        per_device_eval_batch_size=64,
        learning_rate=args.learning_rate,
        bf16=args.bf16 == "on",
        use_cpu=True,
        save_strategy="no",
        report_to=[],
        logging_steps=50,
        disable_tqdm=True,
        **(by_length(transformers) if args.group_by_length else {}),
    )
    trainer = transformers.Trainer(
        model=model,
        args=settings,
        train_dataset=encoded["train"],
        data_collator=getattr(transformers, task.collator)(tokenizer),
    )
    return trainer, encoded


def run(args):
    """Trains and evaluates once; returns the record in the shape of Slipway's results.json."""
    import numpy as np
    import torch

    torch.set_num_threads(args.threads)
    rows = {path.stem: read_rows(path) for path in pathlib.Path(args.data).glob("*.jsonl")}
    task = TASKS[args.task](rows["train"])
    with tempfile.TemporaryDirectory() as folder:
        trainer, encoded = build_trainer(args, task, rows, folder)
        order = start_at(trainer, task.head, np.load(args.start)) if args.start else None
        cpu = time.process_time()
        seconds = trainer.train().metrics["train_runtime"]
        if order and order.passes != args.epochs:
            raise RuntimeError(
                f"the rows were read {order.passes} times in {args.epochs} epochs: not in the order given"
            )
        record = {
            "train": {
                "examples_per_second": len(rows["train"]) * args.epochs / seconds,
                "seconds": seconds,
                "cpu_seconds": time.process_time() - cpu,
            }
        }
        return record | evaluate(trainer, task, encoded) | {"versions": versions()}


def evaluate(trainer, task, encoded):
    """{"dev": {metric: …}, "test": …} and, where there are rows out of scope, the largest probability of each row."""
    found = {split: trainer.predict(rows) for split, rows in encoded.items() if split != "train"}
    record = {}
    for split in ("dev", "test"):
        scores = task.scores(found[split].predictions, found[split].label_ids, encoded[split])
        record[split] = scores | {"loss": found[split].metrics["test_loss"]}
    if OUT_OF_SCOPE in found:
        tops = {name: top_probabilities(found[name].predictions).tolist() for name in ("test", OUT_OF_SCOPE)}
        record["top_probabilities"] = tops
    return record


def versions():
    """What ran, for the table's footer."""
    import torch
    import transformers

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "threads": torch.get_num_threads(),
    }


def main():
    """Reads the command line, runs, and writes the record in one rename, so that a cut-off run leaves none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="Folder with train.jsonl, dev.jsonl and test.jsonl.")
    parser.add_argument("--start", default="", help="What benchmarks.starting_point wrote.")
    parser.add_argument("--encoder", required=True, help="Hugging Face folder of the encoder.")
    parser.add_argument("--output", required=True, help="JSON file to write.")
    parser.add_argument("--task", choices=sorted(TASKS), default="classification", help="What is learned.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--learning_rate", type=float, default=5e-5)
    parser.add_argument("--max_length", type=int, default=128)
    parser.add_argument("--bf16", choices=("on", "off"), default="off", help="bfloat16 autocast.")
    parser.add_argument("--group_by_length", action="store_true", help="Batches of rows of like length.")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    record = run(args)
    unfinished = pathlib.Path(args.output + ".unfinished")
    unfinished.write_text(json.dumps(record, indent=1), encoding="utf-8")
    unfinished.replace(args.output)


if __name__ == "__main__":
    main()
