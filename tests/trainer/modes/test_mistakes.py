"""Whatever is wrong with the command or the data is one line, an exit code, and nothing half-written."""

import json
import shutil

import pytest
import safetensors.numpy

from tests import tiny_encoders, tiny_reviews
from tests.commands import main_process, run_main

GOOD = "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in tiny_reviews.rows(40))  # 32 to train on


@pytest.fixture
def command(flags, tmp_path):
    """command(data, *more) runs the training of a data folder or file with further flags."""

    def run(data, *more, process=False):
        given = [flag for flag in flags if not flag.startswith("--data=")]
        run_it = main_process if process else run_main
        return run_it(*given, f"--data={data}", f"--workdir={tmp_path}/run", "--noexport", *more)

    return run


def written(tmp_path, text, name="data.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


DATA = {
    "empty": (b"", "data.csv: is empty"),
    "header alone": (b"text,label\n", "data.csv: holds no rows"),
    "other columns": (
        b"txt,label\na,b\nc,d\n",
        "data.csv:1: no column 'text'; did you mean 'txt'? (columns: 'txt', 'label')",
    ),
    "one class": (b"text,label\n" + b"a film,positive\n" * 30, "every row has the label 'positive'"),
    "not UTF-8": (b"text,label\na film,positive\n\xe9t\xe9,negative\n", "data.csv:3: not UTF-8"),
    "ragged": (b"text,label\na film,positive,more\n", "data.csv:2: too many fields"),
    "few rows": (b"text,label\na,b\nc,d\n", "too few rows to hold out any for test"),
}


@pytest.mark.parametrize("name", DATA)
def test_data(command, tmp_path, name):
    content, said = DATA[name]
    done = command(written(tmp_path, content))
    assert done.code == 2 and said in done.error()
    assert not (tmp_path / "run").exists()


def test_data_that_is_not_there(command, tmp_path):
    done = command(tmp_path / "missing.csv")
    assert done.code == 2 and "missing.csv: no such file or folder" in done.error()
    assert not (tmp_path / "run").exists()


def test_a_dev_label_that_train_lacks(command, tmp_path, reviews):
    folder = shutil.copytree(reviews, tmp_path / "reviews")
    tiny_reviews.write(folder / "dev.tsv", [*tiny_reviews.rows(4), ("a film", "positve")])
    done = command(folder)
    assert done.code == 2 and "dev.tsv:6: label 'positve' of dev is in no training row" in done.error()
    assert "did you mean 'positive'?" in done.error() and not (tmp_path / "run").exists()


def test_no_dev_rows_to_choose_by(command, tmp_path):
    done = command(written(tmp_path, GOOD, "data.tsv"), "--dev_fraction=0")
    assert done.code == 2 and "no dev rows: give a dev file, or a --dev_fraction above 0" in done.error()


FLAGS = {
    "typo": ("--lerning_rate=1e-3", "unknown flag --lerning_rate; did you mean --learning_rate?"),
    "length": ("--sequence_length=49", "--sequence_length=49 is beyond the position table"),
    "encoder folder": ("--encoder={tmp}/none", "none: no such folder"),
    "preset": ("--encoder=bert_bse_en", "did you mean bert_base_en"),
    "seed": ("--seed=-1", "--seed=-1: allowed is 0 to 4294967295"),
    "gpu": ("--device=gpu", "--device=gpu: TensorFlow sees no GPU"),
    "tpu": ("--device=tpu", "--device=tpu: no TPU here"),
    "batching": ("--xla=on --batching=pools", "--batching=pools with --xla=on"),
    "accumulation": ("--gradient_accumulation=1000", "more than the 16 batches of the run"),
    "class weights": ("--class_weights=positve=2", "--class_weights: no label 'positve'; did you mean 'positive'?"),
    "pooler": ("--pooling=pooler --encoder={tmp}/poolerless", "--pooling=pooler: poolerless has no pooler"),
    "target": ("--serving_target=1.15", "1.15"),
    "workdir": ("--workdir={tmp}/data.tsv", "data.tsv is a file; give a folder"),
    "overwrite": ("--workdir={tmp} --overwrite", "is no workdir"),
}


@pytest.mark.parametrize("name", FLAGS)
def test_flags(command, tmp_path, name):
    given, said = FLAGS[name]
    data = written(tmp_path, GOOD, "data.tsv")
    tiny_encoders.bert_folder(tmp_path / "poolerless", pooler=False)
    before = sorted(tmp_path.rglob("*"))
    done = command(data, *given.format(tmp=tmp_path).split())
    assert done.code == (5 if name in ("gpu", "tpu") else 2)
    assert said in done.error()
    assert sorted(tmp_path.rglob("*")) == before


def test_an_encoder_without_weights_and_then_the_mended_flag(command, tmp_path, bert_folder):
    """A flag that was wrong may be mended and given again; no test rows are no mistake."""
    data, flags = (
        written(tmp_path, GOOD, "data.tsv"),
        ("--dev_fraction=0.3", "--test_fraction=0", "--epochs=1", "--json"),
    )
    shutil.copytree(bert_folder, tmp_path / "empty", ignore=shutil.ignore_patterns("*.safetensors"))
    done = command(data, *flags, f"--encoder={tmp_path}/empty")
    assert done.code == 2 and "holds no weights" in done.error() and not (tmp_path / "run").exists()
    done = command(data, *flags)
    assert done.code == 0 and set(json.loads(done.out)) == {"workdir", "train", "dev", "decisions"}
    lines = (tmp_path / "run" / "predictions.jsonl").read_text().splitlines()
    assert len(lines) == 12  # those of dev


@pytest.mark.parametrize(
    "line, said",
    [
        ("--epochs=1  # quick", "given.flags:2: a comment after a value becomes part of it: write --epochs=1"),
        ("epochs=1", "given.flags:2: 'epochs=1' does not begin with --; did you mean --epochs=1?"),
        ("--epohcs=1", "given.flags:2: unknown flag --epohcs; did you mean --epochs?"),
    ],
)
def test_flagfiles(command, tmp_path, line, said):
    written(tmp_path, f"# a flagfile\n{line}\n", "given.flags")
    done = command(written(tmp_path, GOOD, "data.tsv"), f"--flagfile={tmp_path}/given.flags")
    assert done.code == 2 and said in done.error() and not (tmp_path / "run").exists()


def test_a_loss_that_is_no_number(command, tmp_path, bert_folder):
    folder = shutil.copytree(bert_folder, tmp_path / "spoilt")
    arrays = safetensors.numpy.load_file(folder / "model.safetensors")
    arrays["embeddings.word_embeddings.weight"][:] = float("nan")
    safetensors.numpy.save_file(arrays, folder / "model.safetensors")
    done = command(written(tmp_path, GOOD, "data.tsv"), f"--encoder={folder}", f"--workdir={tmp_path}/run")
    assert done.code == 2 and "the loss is not a number at step 1; nothing was saved yet" in done.error()


def test_a_real_process_fails_the_same_way(command, tmp_path):
    done = command(written(tmp_path, GOOD, "data.tsv"), "--encoder=bert_bse_en", process=True)
    assert done.code == 2 and "--encoder=bert_bse_en: no such folder or preset; did you mean" in done.error()
    assert not (tmp_path / "run").exists()
