"""A FAQ inside a version: searched as numpy would, changed without training, and every mistake of its file one line."""

import json
import pathlib

import numpy as np
import pytest
import safetensors.numpy

from serving.client import Client, Match
from serving.contract import read_contract
from serving.exchange import strings
from serving.loader import ServedVersion
from serving.release.publish import publish
from tests.commands import run_main
from tests.serving.server.running import Server

ENTRIES = [
    ("a", "the film is good", "yes"),
    ("a", "a plot , good", "yes"),
    ("b", "the film is dull", "no"),
    ("c", "life", "?"),
]


def faq(path, entries=ENTRIES, columns=("id", "question", "answer")):
    path.write_text("".join(json.dumps(dict(zip(columns, each, strict=True))) + "\n" for each in entries))
    return path


def export(walk, file, *flags):
    return run_main(*walk.flags, f"--workdir={walk.workdir}", "--mode=export", f"--faq={file}", "--json", *flags)


@pytest.fixture(scope="module")
def walk(walked):
    return walked("embedding")


@pytest.fixture(scope="module")
def version(walk, tmp_path_factory):
    done = export(walk, faq(tmp_path_factory.mktemp("faq") / "faq.jsonl"), "--faq_answers=9")
    assert done.code == 0, done.err
    return json.loads(done.out)["export"]["version_dir"]


@pytest.mark.slow
def test_search_is_a_look_at_every_question(version):
    asked = ["the film is good !", "see a dull film", "x"]
    with ServedVersion(version) as served:
        entries = served.run("embed", {"text": strings([question for _, question, _ in ENTRIES])})["embedding"]
        vectors = served.run("embed", {"text": strings(asked)})["embedding"]
        found = served.run("search", {"text": strings(asked)})
    cosine = vectors @ entries.T
    for row in range(3):
        best = {}
        for place in np.argsort(-cosine[row], kind="stable"):
            best.setdefault(ENTRIES[place][0], place)
        assert [each.decode() for each in found["id"][row]] == list(best)
        assert [each.decode() for each in found["question"][row]] == [ENTRIES[place][1] for place in best.values()]
        np.testing.assert_allclose(found["score"][row], [cosine[row, place] for place in best.values()], atol=1e-5)
    index = read_contract(version)["index"]
    assert {name: index[name] for name in ("entries", "questions", "most")} == {"entries": 3, "questions": 4, "most": 3}


@pytest.mark.slow
def test_the_client_gives_matches(version, walk, tmp_path):
    publish(version, tmp_path / "models" / "tiny")
    with Server(tmp_path / "models" / "tiny", "--port=0", "--engine=embedded") as server:
        with Client(server.ready()["grpc"], "tiny", deadline=120) as client:
            (best, *_), one = (
                client.predict(["the film is good"], signature="search")[0].matches,
                client.predict("life"),
            )
            assert isinstance(best, Match) and best.question == "the film is good" and best.answer == "yes"
            assert best.score == pytest.approx(1, abs=1e-4) and one.vector.shape == (8,)
        assert server.stop() == 0


@pytest.mark.slow
def test_other_entries_are_another_version_without_training(walk, version, tmp_path):
    before = (walk.workdir / "results.json").read_text()
    done = export(walk, faq(tmp_path / "more.jsonl", [*ENTRIES, ("d", "very bright", "new")]), "--faq_answers=9")
    assert done.code == 0, done.err
    found = json.loads(done.out)["export"]
    assert found["version_dir"] != version and "training" not in done.err
    assert json.loads((walk.workdir / "results.json").read_text())["train"] == json.loads(before)["train"]
    assert read_contract(found["version_dir"])["index"]["entries"] == 4


@pytest.mark.slow
def test_without_ids_each_row_is_an_entry(walk, tmp_path):
    file = faq(tmp_path / "faq.jsonl", [each[1:] for each in ENTRIES], ("question", "answer"))
    done = export(walk, file)
    assert done.code == 0, done.err
    assert read_contract(json.loads(done.out)["export"]["version_dir"])["index"]["entries"] == 4


@pytest.mark.parametrize(
    "entries, columns, said",
    [
        (
            [("a", "q", "x"), ("a", "r", "y")],
            ("id", "question", "answer"),
            "faq.jsonl:2: the id 'a' stands for two a",
        ),
        ([("a", "q", " ")], ("id", "question", "answer"), "faq.jsonl:1: the answer is empty; every entry needs one"),
        ([("a", "", "x")], ("id", "question", "answer"), "faq.jsonl:1: the question is empty; every entry needs one"),
        ([("", "q", "x")], ("id", "question", "answer"), "faq.jsonl:1: the id is empty; every entry needs one"),
        ([("a", "q", "x")], ("id", "question", "reply"), "faq.jsonl:1: no column 'answer' (columns: 'id', 'question'"),
    ],
)
def test_mistakes_of_the_file(walk, tmp_path, entries, columns, said):
    before = sorted(path.name for path in (walk.workdir / "export").iterdir())
    done = export(walk, faq(tmp_path / "faq.jsonl", entries, columns))
    assert done.code == 2 and said in done.error()
    assert sorted(path.name for path in (walk.workdir / "export").iterdir()) == before


def test_mistakes_of_the_file_are_told_before_training(walk, tmp_path):
    file = faq(tmp_path / "faq.jsonl", [("a", "q", "")])
    done = run_main(*walk.flags, f"--workdir={tmp_path}/run", f"--faq={file}")
    assert done.code == 2 and "faq.jsonl:1: the answer is empty" in done.error() and not (tmp_path / "run").exists()


@pytest.mark.slow
def test_an_encoder_as_it_came_is_served_too(walk, tmp_path):
    own = (*walk.flags, "--epochs=0", f"--workdir={tmp_path}/run", f"--faq={faq(tmp_path / 'f.jsonl')}", "--json")
    done = run_main(*own)
    assert done.code == 0, done.err
    run = json.loads(done.out)
    assert run["train"]["steps"] == 0 and [each["step"] for each in run["train"]["evaluations"]] == [0]
    assert run["train"]["evaluations"][0]["mrr_at_10"] == pytest.approx(run["dev"]["mrr_at_10"])
    folder = pathlib.Path(run["export"]["version_dir"])
    assert run["export"]["search"]["questions"] == 4 and not read_contract(folder)["fine_tuned"]
    assert "as it came, not fine-tuned" in (folder / "model_card.md").read_text()
    encoder = next(flag for flag in walk.flags if flag.startswith("--encoder=")).removeprefix("--encoder=")
    before = safetensors.numpy.load_file(f"{encoder}/model.safetensors")["embeddings.word_embeddings.weight"]
    weights = safetensors.numpy.load_file(tmp_path / "run/checkpoints/best.safetensors")
    assert any(each.shape == before.shape and np.array_equal(each, before) for each in weights.values())
    again = run_main(*own)
    assert again.code == 0 and json.loads(again.out)["export"]["reused"], again.err


@pytest.mark.parametrize(
    "flags, said",
    [
        (
            ("--task=classification", "--faq=x.jsonl"),
            "--faq=x.jsonl: --task=classification answers no search; --task=embedding alone does",
        ),
        (("--epochs=0",), "--epochs=0: --task=classification has a head that must learn; give 1 or more"),
        (("--task=embedding",), "--text_pair_column is empty: --task=embedding learns from texts that belong together"),
        (("--task=embedding", "--text_pair_column=b", "--embedding_loss=score"), "give --score_range=LOW,HIGH"),
        (
            ("--task=embedding", "--text_pair_column=b", "--matryoshka=8,x"),
            "--matryoshka=8,x: allowed are sizes such",
        ),
    ],
)
def test_flags_that_do_not_go_together(tmp_path, flags, said):
    done = run_main(f"--data={tmp_path}", f"--workdir={tmp_path}/run", *flags)
    assert done.code == 2 and said in done.error()
