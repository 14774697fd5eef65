"""English sentences in which there is nothing to find, and files of them."""

import csv
import io
import random

_ADJECTIVES = "old quiet green narrow heavy gentle broken early distant golden hungry patient silver wooden".split()
_NOUNS = (
    "teacher garden window river market farmer letter kitchen station mountain doctor village bridge painter sailor "
    "engine forest winter candle blanket harbour library soldier cousin lantern orchard"
).split()
_VERBS = (
    "carried followed painted repaired watched remembered borrowed crossed visited described forgot counted".split()
)
_ENDS = {
    "calm": (
        "while the children slept",
        "without a sound",
        "on a silent evening",
        "with great care",
        "and took a rest",
    ),
    "busy": (
        "in the noise of the street",
        "in a terrible hurry",
        "as the bells rang",
        "and ran on",
        "with much shouting",
    ),
}
LABELS = tuple(_ENDS)


def sentences(count, seed=0):
    """`count` sentences, no two of them nearly alike; calm and busy ones in turn."""
    draw = random.Random(seed)
    found = []
    while len(found) < count:
        one, two, three = draw.sample(_NOUNS, 3)
        first, second = draw.sample(_ADJECTIVES, 2)
        end = draw.choice(_ENDS[LABELS[len(found) % 2]])
        found.append(f"The {first} {one} {draw.choice(_VERBS)} the {second} {two} of the {three} {end}.")
    assert len(set(found)) == count
    return found


def rows(count, seed=0):
    """[(text, label), …]: both labels equally often, each with words of its own."""
    return [(text, LABELS[number % 2]) for number, text in enumerate(sentences(count, seed))]


def as_csv(table, header=("text", "label")):
    """The bytes of a CSV file; row i stands in line i + 2."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *table])
    return out.getvalue().encode()


def write_folder(folder, counts=(("train", 48), ("dev", 24), ("test", 24))):
    """train.csv, dev.csv and test.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    everything = rows(sum(count for _, count in counts))
    for split, count in counts:
        part, everything = everything[:count], everything[count:]
        (folder / f"{split}.csv").write_bytes(as_csv(part))
    return folder
