"""What fine-tuning and an index inside the version give on a FAQ: questions that were not trained on.

    python -m benchmarks.faq --data_dir=FOLDER

The folder holds faq.jsonl (question, answer) and question_similarity_en.tsv (question_1, question_2, similar), also
.gz. Of the questions of the FAQ that have other wordings, every third is held out with them, every sixth chooses the
best weights, the others are what the encoder is trained on. Both encoders, as it came and fine-tuned, answer from all
questions of the FAQ.
"""

import csv
import gzip
import json
import pathlib
import statistics
import sys
import tempfile

import numpy as np
from absl import app, flags

from benchmarks import real_text, sheet
from benchmarks.stages import StageFailed, Walk
from serving.exchange import strings
from serving.loader import ServedVersion

FLAGS = flags.FLAGS
flags.DEFINE_string("data_dir", None, "Folder of faq.jsonl and question_similarity_en.tsv, also .gz.", required=True)
real_text.define_flags()
sheet.define_flags()
flags.DEFINE_integer("sequence_length", 128, "Longest text in tokens.", lower_bound=4)
flags.DEFINE_integer("epochs", 4, "Passes over the training pairs.", lower_bound=1)
flags.DEFINE_integer("rounds", 3, "Exports of each kind, in turn.", lower_bound=1)

FROZEN = ("--epochs=0",)
ADDED = 100  # answers that are added to the FAQ


def read(folder):
    """(rows of the FAQ, [(question of the FAQ, another wording)]) of a folder."""
    with _opened(folder, "faq.jsonl") as file:
        faq = [json.loads(line) for line in file]
    with _opened(folder, "question_similarity_en.tsv") as file:
        pairs = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    known = {row["question"] for row in faq}
    wordings = [(row["question_1"], row["question_2"]) for row in pairs if row["similar"] == "1"]
    return faq, [(question, other) for question, other in wordings if question in known]


def split(wordings):
    """{"train", "dev", "held": pairs}: a question's wordings are all in one of them; every third question is held."""
    place = {question: number for number, question in enumerate(dict.fromkeys(question for question, _ in wordings))}
    part = {0: "dev", 2: "held", 5: "held"}  # of six questions, the others train
    found = {"train": [], "dev": [], "held": []}
    for pair in wordings:
        found[part.get(place[pair[0]] % 6, "train")].append(pair)
    return found


def measured(walk, folder, faq, parts):
    """({side: figures of the held-out wordings}, whether the index equals a look at every entry, seconds)."""
    _write(folder / "faq.jsonl", [row | {"id": str(number)} for number, row in enumerate(faq)])
    more = [row | {"id": f"new {number}", "question": f"Also: {row['question']}"} for number, row in enumerate(faq)]
    for number in range(FLAGS.rounds):
        rows = [row | {"id": str(place)} for place, row in enumerate(faq)] + more[number : number + ADDED]
        _write(folder / f"more{number}.jsonl", rows)
    for name in ("train", "dev"):
        rows = [{"text": other, "answer": question} for question, other in parts[name]]
        _write(folder / "data" / f"{name}.jsonl", rows)
    figures, equal = {}, True
    for side, own in (("as it came", FROZEN), ("fine-tuned", (f"--epochs={FLAGS.epochs}",))):
        told = _flags(folder, side)
        run = walk.command(f"train, {side}", "trainer.main", *told, *own, f"--faq={folder / 'faq.jsonl'}")
        figures[side], same = _answered(run["export"]["version_dir"], faq, parts["held"])
        equal = equal and same
    return figures, equal, _seconds(walk, folder, told)


def _flags(folder, side):
    told = {"task": "embedding", "data": folder / "data", "text_pair_column": "answer", "device": "cpu"}
    told |= {
        "encoder": real_text.encoder_folder(),
        "workdir": folder / side.replace(" ", "-"),
        "doctor": "off",
        "sequence_length": FLAGS.sequence_length,
    }
    return [f"--{name}={value}" for name, value in told.items()]


def _answered(version, faq, held):
    """(figures of the wordings, whether `search` says what numpy finds by the vectors of `embed`)."""
    questions, asked = [row["question"] for row in faq], [other for _, other in held]
    with ServedVersion(pathlib.Path(version)) as served:
        entries, vectors = (_run(served, "embed", texts)["embedding"] for texts in (questions, asked))
        found = _run(served, "search", asked)
    numbers = np.array([questions.index(question) for question, _ in held])
    cosine = vectors @ entries.T
    most = found["id"].shape[1]
    best = np.argsort(-cosine, axis=1, kind="stable")[:, :most]
    scores = np.take_along_axis(cosine, best, axis=1)
    near = np.abs(found["score"] - scores).max() < 1e-4
    same = [[int(each) for each in row] for row in found["id"]] == best.tolist()
    ranks = (cosine >= cosine[np.arange(len(held)), numbers][:, None]).sum(axis=1)
    figures = {"recall at 1": float(np.mean(ranks == 1)), "recall at 5": float(np.mean(ranks <= 5))}
    return figures | {"MRR": float(np.mean(1 / ranks))}, bool(near and same)


def _run(served, signature, texts):
    parts = [served.run(signature, {"text": strings(texts[i : i + 32])}) for i in range(0, len(texts), 32)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _seconds(walk, folder, told):
    """[(bare export, export with a FAQ of 100 answers more)] of each round: wall clock of processes, proof and all."""
    found, told = [], [*told, f"--epochs={FLAGS.epochs}", "--mode=export"]
    for number in range(FLAGS.rounds):
        # another number of texts makes another version, so that each export is made and proven
        for kind, flag in (
            ("bare", f"--proof_texts={250 + number}"),
            ("more", f"--faq={folder / f'more{number}.jsonl'}"),
        ):
            walk.command(kind, "trainer.main", *told, flag)
        found.append((walk.seconds["bare"], walk.seconds["more"]))
    return found


def _write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _opened(folder, name):
    path = pathlib.Path(folder) / name
    if path.is_file():
        return open(path, encoding="utf-8", newline="")
    return gzip.open(f"{path}.gz", "rt", encoding="utf-8", newline="")


def compare(argv):
    """Prints the table; one line on stderr for what the user can mend."""
    page = sheet.Sheet("faq", "held-out wordings, found among all questions of the FAQ")
    faq, wordings = read(FLAGS.data_dir)
    parts = split(wordings)
    with tempfile.TemporaryDirectory() as folder:
        figures, equal, seconds = measured(Walk(), pathlib.Path(folder), faq, parts)
    ratios = [more / bare for bare, more in seconds]
    page.heads = ("encoder", *figures["fine-tuned"])
    page.rows = [(side, *(f"{value:.4f}" for value in own.values())) for side, own in figures.items()]
    page.figures = {"found": figures, "seconds": seconds, "ratios": ratios}
    page.met = {
        "fine-tuned finds more than as it came (MRR)": figures["fine-tuned"]["MRR"] > figures["as it came"]["MRR"],
        "the index inside the version is numpy's top-k": equal,
        f"{ADDED} answers more in at most 1.3 × a bare export": statistics.median(ratios) <= 1.3,
    }
    bare, more = (statistics.median(column) for column in zip(*seconds, strict=True))
    page.notes = [
        f"{len(faq)} answers; pairs: " + ", ".join(f"{name} {len(own)}" for name, own in parts.items()),
        f"a bare export with its proof {bare:.1f} s, one with {ADDED} answers more {more:.1f} s: "
        f"{statistics.median(ratios):.2f} × ({min(ratios):.2f}–{max(ratios):.2f}); no training step",
    ]
    page.publish(lambda axes: _draw(axes, figures))


def _draw(axes, figures):
    names = list(figures["fine-tuned"])
    for place, (side, own) in enumerate(figures.items()):
        axes.bar(np.arange(len(names)) + 0.4 * place, [own[name] for name in names], width=0.38, label=side)
    axes.set_xticks(np.arange(len(names)) + 0.2, names)
    axes.legend()


def main(argv):
    try:
        compare(argv)
    except (OSError, StageFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 2))


if __name__ == "__main__":
    app.run(main)
