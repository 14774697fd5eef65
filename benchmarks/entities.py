"""Whether the spans that a served tagger answers lie where it says, over real texts and texts made to break it.

    python -m benchmarks.entities --workdir=runs/ner --files=conll2003/test.txt.gz,cluener2020/dev.jsonl.gz

The proven version of a workdir is served as it is, by the embedded server in a process of its own, and asked through
the client. Of every entity `text[start:end]` must be its text, or the command ends with exit code 1. Beside it stands
in how many texts the entities are not those of --mode=predict: its batches are others, on which float32 sums depend.
Files are .txt (columns of CoNLL) and .jsonl, .tsv or .csv with a column of texts, also .gz.
"""

import json
import pathlib
import sys
import tempfile
import time

from absl import app, flags

from benchmarks import quality_rows, quality_table, served_version
from benchmarks.mixed_texts import mixed_texts
from benchmarks.stages import StageFailed, Walk
from serving.client import Client
from trainer import flags as trainer_flags

FLAGS = flags.FLAGS
flags.DEFINE_string("workdir", None, "Workdir with a proven version of --task=tagging.", required=True)
flags.DEFINE_list("files", [], "Files of texts, as in --files=test.txt.gz,dev.jsonl.")
flags.DEFINE_string("text_column", "text", "Column of the texts in .jsonl, .tsv and .csv files.")
flags.DEFINE_integer("mixed", 500, "Texts drawn from many scripts, with emoji and marks; 0: none.", lower_bound=0)
flags.DEFINE_bool("json", False, "Print one JSON object instead of the table.")

HEADS = ("file", "texts", "entities", "lie there", "texts/s", "other answers", "largest score difference")
NOTES = (
    "lie there: text[start:end] is the entity's text; texts/s: through client and embedded server, all texts at once",
    "other answers: texts whose entities are not those of --mode=predict; the scores are compared in all others",
)
_FIRST = 64  # texts asked before any time is taken


class Mistake(Exception):
    """What the user can mend, in one line."""


def measure():
    """{file: figures}; raises Mistake, quality_rows.RowsError and StageFailed."""
    workdir = pathlib.Path(FLAGS.workdir)
    version, sources, stages = proven_version(workdir), texts_by_file(), Walk()
    every = [text for texts in sources.values() for text in texts]
    predicted = iter(predict(stages, workdir, every))
    found = {}
    with (
        served_version.linked(version) as base_path,
        stages.server(base_path, "--engine=embedded") as address,
        Client(address, served_version.MODEL, deadline=600) as client,
    ):
        client.predict(every[:_FIRST])
        for name, texts in sources.items():
            began = time.perf_counter()
            answers = client.predict(texts)
            seconds = time.perf_counter() - began
            answers = [answer.to_dict()["entities"] for answer in answers]
            expected = [next(predicted) for _ in texts]
            found[name] = compared(texts, answers, expected) | {"texts_per_second": len(texts) / seconds}
    return found


def proven_version(workdir):
    """The version folder that the workdir's run has proven; raises Mistake."""
    try:
        version = pathlib.Path(json.loads((workdir / "results.json").read_text("utf-8"))["export"]["version_dir"])
        contract = json.loads((version / "contract.json").read_text("utf-8"))
    except (OSError, KeyError):
        raise Mistake(f"--workdir={workdir} has no proven version; run trainer.main with --mode=export") from None
    if contract["task"] != "tagging":
        raise Mistake(f"--workdir={workdir}: the version is of --task={contract['task']}; give one of --task=tagging")
    return version


def texts_by_file():
    """{name: texts} of the files, and of the mixed texts; raises Mistake and quality_rows.RowsError."""
    found = {"/".join(path.parts[-2:]): file_texts(path) for path in map(pathlib.Path, FLAGS.files)}
    if FLAGS.mixed:
        found["mixed texts"] = mixed_texts(FLAGS.mixed)
    if not found:
        raise Mistake("--mixed=0 and no --files: there is nothing to ask")
    return found


def file_texts(path):
    """The texts of one file."""
    if not path.is_file():
        raise Mistake(f"--files: {path} is not there")
    if not path.name.endswith(quality_rows.ENDINGS):
        raise Mistake(f"--files: {path} ends with none of {' '.join(quality_rows.ENDINGS)}")
    column = "words" if ".txt" in path.suffixes else FLAGS.text_column
    rows = list(quality_rows.read_file(path))
    if not rows or any(column not in row for row in rows):
        raise Mistake(f"--files: {path} has no texts in a column {column!r}; give --text_column")
    return [row[column] for row in rows]


def predict(stages, workdir, texts):
    """The entities that --mode=predict finds in each text."""
    given = [f"--flagfile={workdir / 'flags.txt'}", f"--workdir={workdir}"]
    column = trainer_flags.parse(given).data.text_column
    with tempfile.TemporaryDirectory() as folder:
        source, output = pathlib.Path(folder) / "texts.jsonl", pathlib.Path(folder) / "predicted.jsonl"
        source.write_text("".join(json.dumps({column: text}) + "\n" for text in texts), encoding="utf-8")
        asked = ["--mode=predict", f"--predict_input={source}", f"--predict_output={output}"]
        stages.command("predict", "trainer.main", *given, *asked)
        return [json.loads(line)["entities"] for line in output.read_text("utf-8").split("\n")[:-1]]


def compared(texts, answers, expected):
    """Figures of a file's answers, lists of {"start", "end", "label", "text", "score"} for each text."""
    places = [
        [entity["text"] == text[entity["start"] : entity["end"]] for entity in found]
        for text, found in zip(texts, answers, strict=True)
    ]
    both = list(zip(answers, expected, strict=True))
    same = [(ours, theirs) for ours, theirs in both if _without_score(ours) == _without_score(theirs)]
    scores = [abs(a["score"] - b["score"]) for ours, theirs in same for a, b in zip(ours, theirs, strict=True)]
    return {
        "texts": len(texts),
        "entities": sum(map(len, places)),
        "lie_there": sum(map(sum, places)),
        "other_answers": len(both) - len(same),
        "score_difference": max(scores, default=0.0),
    }


def _without_score(entities):
    return [{name: value for name, value in entity.items() if name != "score"} for entity in entities]


def cells(name, found):
    """A line of the table."""
    counts = (str(found[key]) for key in ("texts", "entities", "lie_there"))
    speed, others = f"{found['texts_per_second']:.0f}", str(found["other_answers"])
    return name, *counts, speed, others, f"{found['score_difference']:.1e}"


def main(argv):
    """Prints the table or the JSON object; exit code 1 where an entity does not lie where it says."""
    if argv[1:]:
        raise app.UsageError(f"unknown argument {argv[1]}")
    try:
        found = measure()
    except StageFailed as failed:
        return failed.exit_code
    except (Mistake, quality_rows.RowsError) as mistake:
        print(f"error: {mistake}", file=sys.stderr)
        return 2
    if FLAGS.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        print(quality_table.layout([HEADS, *(cells(*each) for each in found.items())], NOTES))
    return 0 if all(each["lie_there"] == each["entities"] for each in found.values()) else 1


if __name__ == "__main__":
    app.run(main)
