"""What pre-training on unlabelled Chinese reviews is worth to a small encoder, beside the same one drawn anew.

    python -m data.fetch chinese-reviews
    python -m benchmarks.chinese --chnsenticorp_dir=FOLDER --cluener_dir=FOLDER --workdir=runs/chinese

Learns a vocabulary and pre-trains with --task=mlm on the reviews that `data.fetch` brings, then fine-tunes on labelled
sets from that encoder and from the same one as it was drawn: same rows, flags and seeds. No dev or test text of a
labelled set, by letters and digits, is pre-trained on. Every run is kept in the workdir: the same command goes on.
"""

import dataclasses
import pathlib
import sys

from absl import app, flags

from benchmarks import chinese_rows, sheet
from benchmarks.quality_run import RunError, call, read_result
from trainer.config import cache_dir, carried_path
from trainer.inputs.sources import read_table

FLAGS = flags.FLAGS
flags.DEFINE_string("chnsenticorp_dir", None, "Folder of ChnSentiCorp: train, dev and test .tsv.gz.", required=True)
flags.DEFINE_string("cluener_dir", "", "Folder of CLUENER2020: train and dev .jsonl.gz; empty leaves it out.")
flags.DEFINE_string("workdir", "runs/chinese", "Folder of rows, vocabulary and runs.")
flags.DEFINE_integer("size", 8000, "Tokens of the vocabulary at most.")
flags.DEFINE_integer("layers", 4, "Layers.")
flags.DEFINE_integer("hidden", 256, "Width of the encoder; a head of attention is 64 wide.")
flags.DEFINE_integer("pretraining_epochs", 10, "Passes over the reviews.")
flags.DEFINE_integer("epochs", 3, "Passes over the labelled rows.")
flags.DEFINE_integer("seeds", 1, "Fine-tuning runs of each side, at the seeds 1, 2, …")
sheet.define_flags()

PRETRAINED, DRAWN = "pre-trained on reviews", "drawn anew"
FINE_TUNING = ("--batch_size=32", "--learning_rate=1e-4", "--warmup=0.1", "--sequence_length=128", "--noexport")
PRETRAINING = ("--batch_size=32", "--learning_rate=1e-3", "--warmup=0.05", "--sequence_length=128")


@dataclasses.dataclass(frozen=True)
class Labelled:
    """A labelled set: where its rows lie, the flags of its task, and the figure of its test rows that is told."""

    folder: pathlib.Path
    flags: tuple
    figure: str


def main(_):
    """Makes what is missing and prints one table."""
    root = pathlib.Path(FLAGS.workdir)
    page = sheet.Sheet(
        "chinese", "Test figures of a small Chinese encoder", ("labelled set", "figure", PRETRAINED, DRAWN)
    )
    try:
        sets, texts = make_rows(root)
        vocabulary, pretraining = pretrain(root)
        found = {name: fine_tune(root, name, each, vocabulary) for name, each in sets.items()}
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    page.figures = {"pretraining": pretraining["dev"], "texts": texts, "fine_tuned": found}
    page.rows = [(name, sets[name].figure, *map(_spread, each.values())) for name, each in found.items()]
    page.met = {f"{name}: pre-training gains": min(each[PRETRAINED]) > max(each[DRAWN]) for name, each in found.items()}
    page.notes = _notes(texts, pretraining)
    page.publish(lambda axes: draw(axes, found))
    return 0


def make_rows(root):
    """({name: Labelled}, number of unlabelled texts), all written below `root`."""
    sets = {"chnsenticorp": Labelled(root / "rows/chnsenticorp", ("--task=classification",), "accuracy")}
    rows = {"chnsenticorp": chinese_rows.chnsenticorp(pathlib.Path(FLAGS.chnsenticorp_dir))}
    if FLAGS.cluener_dir:
        how = ("--task=tagging", "--label_column=spans")
        sets["cluener"] = Labelled(root / "rows/cluener", how, "span_f1")
        rows["cluener"] = chinese_rows.cluener(pathlib.Path(FLAGS.cluener_dir))
    for name, own in rows.items():
        chinese_rows.write(sets[name].folder, own)
    held_out = [row for own in rows.values() for split, each in own.items() if split != "train" for row in each]
    reviews = carried_path("chinese-reviews", cache_dir()) / "train.tsv"
    if not reviews.is_file():
        raise RunError("the reviews are not in the cache; run: python -m data.fetch chinese-reviews")
    texts = chinese_rows.unlabelled([read_table(reviews)], held_out)
    (root / "rows").mkdir(parents=True, exist_ok=True)
    (root / "rows/reviews.txt").write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return sets, len(texts)


def pretrain(root):
    """(folder of the vocabulary, results.json of the pre-training)."""
    vocabulary, texts = root / "vocabulary", root / "rows/reviews.txt"
    shape = {"size": FLAGS.size, "layers": FLAGS.layers, "hidden": FLAGS.hidden, "heads": max(1, FLAGS.hidden // 64)}
    shape |= {"intermediate": 4 * FLAGS.hidden, "positions": 128}
    if not vocabulary.is_dir():
        given = [f"--{name}={value}" for name, value in shape.items()]
        call([sys.executable, "-m", "data.vocabulary", f"--input={texts}", f"--output={vocabulary}", *given], "our")
    how = ("--task=mlm", f"--data={texts}", f"--encoder={vocabulary}", "--from_scratch", "--test_fraction=0")
    how += ("--dev_fraction=0.03", f"--epochs={FLAGS.pretraining_epochs}", *PRETRAINING)
    return vocabulary, train(root / "mlm", how)


def fine_tune(root, name, labelled, vocabulary):
    """{side: [figure on test of each seed]}."""
    sides = {PRETRAINED: (f"--encoder={root / 'mlm/encoder'}",), DRAWN: (f"--encoder={vocabulary}", "--from_scratch")}
    how = (f"--data={labelled.folder}", f"--epochs={FLAGS.epochs}", *labelled.flags, *FINE_TUNING)
    found = {side: [] for side in sides}
    for seed in range(1, FLAGS.seeds + 1):
        for side, encoder in sides.items():
            workdir = root / f"{name}-{'drawn' if side == DRAWN else 'pretrained'}-{seed}"
            found[side].append(train(workdir, (*how, *encoder, f"--seed={seed}"))["test"][labelled.figure])
    return found


def train(workdir, how):
    """results.json of one run of trainer.main, which goes on where it was stopped."""
    call([sys.executable, "-m", "trainer.main", *how, f"--workdir={workdir}", "--doctor=off"], "our")
    return read_result(workdir)


def draw(axes, found):
    """A pair of bars for each labelled set."""
    for place, side in enumerate((PRETRAINED, DRAWN)):
        heights = [sum(each[side]) / len(each[side]) for each in found.values()]
        axes.bar([at + 0.4 * place for at in range(len(found))], heights, 0.38, label=side)
    axes.set_xticks([at + 0.2 for at in range(len(found))], list(found))
    axes.legend()


def _spread(figures):
    mean = sum(figures) / len(figures)
    return f"{100 * mean:.1f}" + (f" ({100 * min(figures):.1f}–{100 * max(figures):.1f})" if len(figures) > 1 else "")


def _notes(texts, pretraining):
    dev, train = pretraining["dev"], pretraining["train"]
    return [
        f"pre-trained on {texts:,} texts for {train['steps']} steps, {train['seconds'] / 60:.0f} minutes: perplexity "
        f"of masked tokens {dev['perplexity']:.1f}, {100 * dev['masked_accuracy']:.1f} % named right, on dev",
        f"{FLAGS.layers} layers of {FLAGS.hidden}; fine-tuned for {FLAGS.epochs} epochs, {FLAGS.seeds} seeds a side",
    ]


if __name__ == "__main__":
    app.run(main)
