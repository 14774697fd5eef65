"""Whether the input path shows: the time of a step on real text beside constant batches, and padding on every path.

    python -m benchmarks.input_pipeline --sst2_dir=FOLDER --chnsenticorp_dir=FOLDER

A round takes the same steps of an epoch twice: from the input path as training has it, begun anew, and from tf.data's
memory, where the very same batches lie ready, of the same shapes. What padding is counted where: see padding.py.
"""

import pathlib
import sys
import time

import numpy as np
from absl import app, flags

from benchmarks import padding, paired, real_text, sheet
from trainer.config import Config, UserError

MOST_TIMES_CONSTANT, MOST_PADDING_CPU, MOST_PADDING_BUCKETS, MOST_SHAPES = 1.03, 0.04, 0.20, 14
_COLUMNS = {"sst2": "sentence", "chnsenticorp": "text_a"}
_MOST_BATCHES = 500  # whose layout is counted
FLAGS = flags.FLAGS
paired.define_flags(rounds=7)
real_text.define_flags()
for _name in _COLUMNS:
    flags.DEFINE_string(f"{_name}_dir", "", f"Folder of {_name} with its train file; left out where none is given.")
flags.DEFINE_integer("steps", 20, "Steps of a side in a round.", lower_bound=1)
flags.DEFINE_integer("batch_size", 32, "Rows per step.", lower_bound=1)
flags.DEFINE_list("lengths", ["128", "512"], "Values of --sequence_length for which padding is counted.")
flags.register_validator(
    "lengths", lambda given: all(each.isdecimal() and int(each) >= 4 for each in given), "allowed: 128,512,…, from 4 on"
)


def compare():
    """Measures, prints and keeps steps and padding."""
    page = sheet.Sheet("input_pipeline", "the input path: seconds beside constant batches, and padding")
    found = count_padding()
    steps = measure_steps()
    page.heads = ("data", "tokens", "path", "shapes", "batch", "dense", "attention")
    page.rows = list(padding_rows(found))
    ratio = sheet.spread_text(steps["real / constant"], 1, 3)
    seconds = {side: sheet.spread_text(spread, 1000, 1) for side, spread in steps["seconds"].items()}
    page.notes = [
        f"a step on real text: {seconds['real']} ms; on constant batches: {seconds['constant']} ms; {ratio} ×",
        f"{FLAGS.rounds} rounds of {FLAGS.steps} steps of {FLAGS.batch_size} rows; {steps['settings']}",
        "padding: share of the places that are no tokens: in the batch as it is handed over, in dense layers, in",
        "attention. On CPU a BERT-like encoder computes over real tokens alone: the padding of its batch costs nothing",
        "but memory, and only attention pads, in groups of like length.",
    ]
    page.figures = {"steps": steps, "padding": figures(found)}
    page.met = claims(found, steps)
    page.publish(lambda axes: draw(axes, found))


def count_padding():
    """{(data, sequence length): {way: padding.Places}}."""
    config = _config()
    found = {}
    for name, texts in _texts().items():
        for longest in map(int, FLAGS.lengths):
            lengths = _tokens(texts, longest).lengths
            eval_size = config.input.eval_batch_size
            found[name, longest] = padding.ways(lengths, longest, FLAGS.batch_size, eval_size, _MOST_BATCHES)
    return found


def _texts():
    """{data set: texts} of the snippets and of the folders that flags name."""
    from trainer.inputs.sources import read_table
    from trainer.inputs.split_sources import find_files

    found = {"snippets": real_text.texts()}
    for name, column in _COLUMNS.items():
        if folder := FLAGS[f"{name}_dir"].value:
            train = find_files(pathlib.Path(folder))["train"]
            found[name] = read_table(train, column, need_labels=False).texts
    return found


def _tokens(texts, longest):
    from trainer.inputs.tokens import tokenize
    from trainer.models.preprocessor import TextPreprocessor

    tokenizer, special = _tokenizer()
    features = ("token_ids", "padding_mask", "segment_ids")
    return tokenize(TextPreprocessor(tokenizer, special, longest, features), texts)


def _tokenizer():
    from trainer.models import tokenizers

    folder = real_text.encoder_folder()
    return tokenizers.load(str(folder), folder)


def _config():
    return Config.from_flat({"encoder": str(real_text.encoder_folder()), "batch_size": FLAGS.batch_size})


def measure_steps():
    """{"seconds": {side: spread of a step's}, "real / constant": spread, "settings": what ran}."""
    from trainer import allocator

    allocator.keep_memory()  # as trainer.main does

    from trainer.inputs.pipeline import Rows
    from trainer.loop import accelerator as accelerators
    from trainer.loop.fit import Run, compiled
    from trainer.modes import job

    config = _config()
    accelerator = accelerators.choose(config)
    with accelerator.training():
        accelerator, encoder = accelerator.with_encoder(job.open_encoder(config), config)
        tokens = _tokens(real_text.texts(FLAGS.rounds * FLAGS.steps * FLAGS.batch_size), config.input.sequence_length)
        rows = Rows(tokens, encoder.preprocessor, np.arange(len(tokens), dtype=np.int32) % 2)
        run = Run(config, job.make_task(config, {"labels": ["a", "b"]}), rows, None, encoder, accelerator, None)
        model = compiled(run, FLAGS.rounds * FLAGS.steps)
        rounds = [_round(model, rows, accelerator, number) for number in range(FLAGS.rounds)]
    ratios = [each["real"] / each["constant"] for each in rounds]
    seconds = {side: paired.spread([each[side] for each in rounds]) for side in rounds[0]}
    return {"seconds": seconds, "real / constant": paired.spread(ratios), "settings": str(accelerator.settings())}


def _round(model, rows, accelerator, number):
    """{side: seconds of a step} over the steps of this round; whoever comes first changes from round to round."""
    first = number * FLAGS.steps
    real = rows.training(accelerator.batching, FLAGS.batch_size, 1, first + FLAGS.steps, first)
    constant = real.cache()
    for _ in constant:  # fills the cache
        pass
    if number == 0 or accelerator.jit_step:
        _seconds(model, constant)  # what is traced or compiled for a shape is no part of a step
    sides = {"real": real, "constant": constant}
    order = list(sides) if number % 2 else list(sides)[::-1]
    found = {side: _seconds(model, sides[side]) / FLAGS.steps for side in order}
    return {side: found[side] for side in sides}


def _seconds(model, dataset):
    start = time.perf_counter()
    model.fit(dataset, epochs=1, shuffle=False, verbose=0)
    return time.perf_counter() - start


def padding_rows(found):
    """Lines of the table."""
    for (name, longest), by_way in found.items():
        for way, places in by_way.items():
            shown = [f"{share:.1%}" for share in places.shares().values()]
            shapes = str(places.shapes) if "buckets" in way else ""
            yield name, str(longest), way, shapes, *shown


def figures(found):
    """The same for the JSON file."""
    return {
        f"{name}, {longest} tokens": {way: places.shares() | {"shapes": places.shapes} for way, places in each.items()}
        for (name, longest), each in found.items()
    }


def claims(found, steps):
    """{claim: whether the run bears it out}; padding is judged where the dense layers compute it."""
    shares = [(way, places.shares()["dense"], places.shapes) for each in found.values() for way, places in each.items()]
    buckets = [(share, shapes) for way, share, shapes in shares if "buckets" in way]
    return {
        f"a step on real text takes at most {MOST_TIMES_CONSTANT} × one on constant batches": (
            steps["real / constant"]["median"] <= MOST_TIMES_CONSTANT
        ),
        f"padding in dense layers on CPU is at most {MOST_PADDING_CPU:.0%}": all(
            share <= MOST_PADDING_CPU for way, share, _ in shares if way.startswith("CPU")
        ),
        f"buckets pad at most {MOST_PADDING_BUCKETS:.0%} in at most {MOST_SHAPES} shapes": all(
            share <= MOST_PADDING_BUCKETS and shapes <= MOST_SHAPES for share, shapes in buckets
        ),
    }


def draw(axes, found):
    """Bars: padding in dense layers and in attention, of every data set, length and way."""
    names = [f"{name} {longest}: {way}" for (name, longest), each in found.items() for way in each]
    shares = [places.shares() for each in found.values() for places in each.values()]
    middle = np.arange(len(names))
    for offset, where in ((-0.2, "dense"), (0.2, "attention")):
        axes.barh(middle + offset, [100 * share[where] for share in shares], 0.4, label=where)
    axes.set_yticks(middle, names, fontsize=6)
    axes.invert_yaxis()
    axes.set_xlabel("padding, % of token places")
    axes.legend()


def main(arguments):
    """Measures; a mistake in the data is one line and exit code 2."""
    try:
        return paired.command(compare)(arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    app.run(main)
