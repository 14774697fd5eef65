"""What is asked of a trained workdir: evaluate, predict, export."""

import gzip
import json
import shutil

import pytest

from tests import tiny_encoders, tiny_reviews
from tests.commands import run_main


def ask(trained, mode, *more):
    return run_main(*trained.flags, f"--workdir={trained.workdir}", f"--mode={mode}", *more)


def predicted(path):
    return [json.loads(line) for line in path.read_text("utf-8").removesuffix("\n").split("\n")]


def test_evaluate_gives_the_same_scores(copied):
    before = copied.results
    done = ask(copied, "evaluate", "--json")
    assert done.code == 0
    given = json.loads(done.out)
    assert {split: given[split] for split in ("dev", "test")} == {split: before[split] for split in ("dev", "test")}
    assert copied.results == before


def test_batches_of_another_size_give_the_same_scores(copied):
    given = json.loads(ask(copied, "evaluate", "--json", "--eval_batch_size=7").out)
    assert given["test"] == {name: pytest.approx(score, abs=1e-5) for name, score in copied.results["test"].items()}


def test_evaluate_refuses_other_rows(copied, tmp_path, reviews):
    flags = [flag for flag in copied.flags if not flag.startswith("--data=")]
    (tmp_path / "reviews").symlink_to(reviews)
    done = run_main(*flags, f"--data={tmp_path}/reviews", f"--workdir={copied.workdir}", "--mode=evaluate")
    assert done.code == 2 and "--data=" in done.error() and "other flags" in done.error()


def test_evaluate_refuses_rows_that_changed_since(copied, reviews, tmp_path):
    """The path is the same, the rows are not: its test split might hold what was trained on."""
    shutil.copytree(reviews, tmp_path / "reviews")
    tiny_reviews.write(tmp_path / "reviews" / "dev.tsv", tiny_reviews.rows(20, seed=2))
    text = (copied.workdir / "flags.txt").read_text()
    (copied.workdir / "flags.txt").write_text(text.replace(str(reviews), f"{tmp_path}/reviews"))
    seen = (copied.workdir / "doctor.json").read_bytes()
    for mode in ("evaluate", "train"):
        done = run_main(f"--flagfile={copied.workdir}/flags.txt", f"--workdir={copied.workdir}", f"--mode={mode}")
        assert done.code == 2 and "--data holds other rows than this workdir was trained on" in done.error()
    assert (copied.workdir / "doctor.json").read_bytes() == seen


@pytest.mark.parametrize("name", ["texts.csv", "texts.tsv.gz", "texts.jsonl", "texts.txt", "texts.txt.gz"])
def test_predict_answers_every_text_in_its_order(trained, tmp_path, name):
    texts = [text for text, _ in tiny_reviews.rows(40, seed=9)] + ["", "word beyond the vocabulary", "a\u2028b film"]
    path = tmp_path / name
    if ".txt" in name:
        opener = gzip.open if name.endswith(".gz") else open
        with opener(path, "wt", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in texts)
    else:
        texts = [text for text in texts if text or not name.startswith("texts.tsv")]
        tiny_reviews.write(path, [(text, "unused") for text in texts])
    out = tmp_path / "new" / "out.jsonl"
    done = ask(trained, "predict", f"--predict_input={path}", f"--predict_output={out}", "--json")
    assert done.code == 0 and json.loads(done.out) == {"texts": len(texts), "truncated": 0, "output": str(out)}
    lines = predicted(out)
    assert [(line["row"], line["text"]) for line in lines] == list(enumerate(texts))
    assert all(set(line) == {"row", "text", "label", "score", "probabilities"} for line in lines)


def test_predict_agrees_with_the_evaluation(copied, reviews):
    evaluated = predicted(copied.workdir / "predictions.jsonl")
    done = ask(copied, "predict", f"--predict_input={reviews}/test.jsonl.gz")
    assert done.code == 0 and "longer than the limit" in done.out
    assert predicted(copied.workdir / "predictions.jsonl") == evaluated, "they are what the report is drawn from"
    for a, b in zip(evaluated, predicted(copied.workdir / "predicted.jsonl"), strict=True):
        assert a["label"] == b["label"] and a["score"] == pytest.approx(b["score"], abs=1e-6)


def test_texts_that_are_too_long_are_counted(trained, tmp_path):
    (tmp_path / "long.txt").write_text("a film\n" + "great " * 50 + "\n")
    out = f"--predict_output={tmp_path}/out.jsonl"
    done = ask(trained, "predict", f"--predict_input={tmp_path}/long.txt", out, "--json")
    assert json.loads(done.out)["truncated"] == 1


@pytest.mark.slow
def test_export_finds_the_proven_version_and_makes_others(copied):
    done = ask(copied, "export", "--json")
    first = json.loads(done.out)["export"]
    assert done.code == 0 and first["reused"]
    assert first["version_dir"].startswith(str(copied.workdir)), "a workdir may be moved"
    done = ask(copied, "export", "--json", "--model_name=other")
    other = json.loads(done.out)["export"]
    assert done.code == 0 and not other["reused"] and other["version_dir"] != first["version_dir"]
    assert copied.results["export"] == other


@pytest.mark.slow
def test_export_in_another_precision(copied):
    """What the proof says of it is in what is printed, in results.json and on the page."""
    done = ask(copied, "export", "--json", "--serving_precision=bfloat16")
    assert done.code == 0, done.err
    found = json.loads(done.out)["export"]
    assert (found["precision"], found["tolerance"], found["accuracy"]["rows"]) == ("bfloat16", 0.02, 24)
    assert "in bfloat16" in found["proof"] and copied.results["export"] == found
    assert "<th>computes in</th><td>bfloat16</td>" in (copied.workdir / "report.html").read_text()
    done = ask(copied, "export", "--serving_precision=float16")
    assert done.code == 2
    assert "--serving_precision=float16: allowed is float32, bfloat16, int8; did you mean bfloat16?" in done.error()


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--predict_input="], "--predict_input is empty"),
        (["--predict_input={tmp}/missing.csv"], "missing.csv: no such file"),
        (["--predict_input={tmp}"], "this is a folder; give a file"),
        (["--predict_input={tmp}/other.csv"], "no column 'text'; did you mean 'texts'?"),
        (["--predict_input={tmp}/ok.txt", "--predict_output={tmp}"], "is a folder; give a file"),
        (
            ["--predict_input={tmp}/ok.txt", "--predict_output={tmp}/ok.txt/out.jsonl"],
            "ok.txt is a file; give a folder",
        ),
        (["--predict_input={tmp}/ok.pdf"], "unknown kind of file"),
    ],
)
def test_predict_mistakes(trained, tmp_path, arguments, said):
    (tmp_path / "ok.txt").write_text("a film\n")
    (tmp_path / "ok.pdf").write_text("a film\n")
    (tmp_path / "other.csv").write_text("texts,label\na film,positive\n")
    before = sorted(tmp_path.rglob("*"))
    done = ask(trained, "predict", *(argument.format(tmp=tmp_path) for argument in arguments))
    assert done.code == 2 and said in done.error()
    assert sorted(tmp_path.rglob("*")) == before


def test_an_encoder_that_changed_since_is_refused(copied, bert_folder, tmp_path):
    """The flags are the same, the folder behind them is not."""
    flags = [flag for flag in copied.flags if not flag.startswith("--encoder=")]
    text = (copied.workdir / "flags.txt").read_text()
    tiny_encoders.bert_folder(tmp_path / "other", vocabulary=[*tiny_encoders.VOCABULARY[:-1], "y"])
    (copied.workdir / "flags.txt").write_text(text.replace(str(bert_folder), str(tmp_path / "other")))
    for mode in ("evaluate", "train"):
        done = run_main(*flags, f"--encoder={tmp_path}/other", f"--workdir={copied.workdir}", f"--mode={mode}")
        assert done.code == 2 and "has another vocabulary than when" in done.error()


@pytest.mark.parametrize("mode", ["evaluate", "export", "predict"])
def test_a_workdir_where_nothing_was_trained(trained, tmp_path, mode):
    (tmp_path / "texts.txt").write_text("a film\n")
    for workdir, said in ((tmp_path / "missing", "no such folder"), (tmp_path, "nothing was trained here")):
        command = (*trained.flags, f"--workdir={workdir}", f"--mode={mode}", f"--predict_input={tmp_path}/texts.txt")
        done = run_main(*command)
        assert done.code == 2 and said in done.error() and "run --mode=train first" in done.error()
    assert not (tmp_path / "missing").exists()
