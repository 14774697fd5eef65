"""A vocabulary learned from texts is one that the reference tokenizer, our own and the encoder's loader agree on."""

import contextlib
import io
import json

import pytest

from data import vocabulary
from trainer.config import UserError
from trainer.models.encoder import load_encoder

TEXTS = ["the cafe near the station", "Café; stations, cafés and the stationmaster!", "中国的中心 is 中"] * 4
SMALL = ("--size=100", "--layers=1", "--hidden=8", "--heads=2", "--intermediate=16", "--positions=24")


def run(*arguments):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = vocabulary.main(list(map(str, arguments)))
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(TEXTS), "utf-8")
    return path


@pytest.fixture
def folder(texts, tmp_path):
    code, _, err = run(f"--input={texts}", f"--output={tmp_path}/new", *SMALL)
    assert code == 0, err
    return tmp_path / "new"


def test_it_spells_its_own_texts_as_the_reference_tokenizer_does(folder):
    from tokenizers import Tokenizer

    reference, encoder = Tokenizer.from_file(str(folder / "tokenizer.json")), load_encoder(str(folder), "", 24, True)
    for text in TEXTS[:3]:
        ids = encoder.preprocessor.tokenize([text]).ids.to_list()[0]
        assert ids == reference.encode(text).ids
        assert encoder.preprocessor.tokenizer.token_id("[UNK]") not in ids


def test_ideographs_take_one_token_each_and_frequent_words_are_whole(folder):
    tokens = (folder / "vocab.txt").read_text("utf-8").splitlines()
    assert tokens[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] and len(tokens) == len(set(tokens)) <= 100
    assert {"中", "国", "the", "station"} <= set(tokens) and "##中" not in tokens


def test_the_same_texts_give_the_same_folder_from_any_kind_of_file(folder, tmp_path):
    rows = "".join(json.dumps({"body": text}, ensure_ascii=False) + "\n" for text in TEXTS)
    (tmp_path / "texts.jsonl").write_text(rows, "utf-8")
    code, out, err = run(
        f"--input={tmp_path}/texts.jsonl", "--text_column=body", f"--output={tmp_path}/again", "--json", *SMALL
    )
    assert code == 0, err
    assert json.loads(out)["tokens"] == len((folder / "vocab.txt").read_text("utf-8").splitlines())
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json", "config.json"):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_case_is_kept_where_asked(texts, tmp_path):
    assert run(f"--input={texts}", f"--output={tmp_path}/cased", "--nolowercase", *SMALL)[0] == 0
    encoder = load_encoder(str(tmp_path / "cased"), "", 24, True)
    assert encoder.preprocessor.tokenizer.words(["Café"]).to_list() == [["Café".encode()]]


def test_weights_are_drawn_only_where_asked(folder):
    with pytest.raises(UserError, match="holds no weights; .* or give --from_scratch to draw them"):
        load_encoder(str(folder), "", 24)
    encoder = load_encoder(str(folder), "", 24, from_scratch=True)
    assert encoder.revision == "drawn from scratch" and not encoder.has_pooler
    assert encoder.backbone.num_layers == 1 and encoder.backbone.hidden_dim == 8


def test_without_weights_it_must_be_a_bert(folder):
    config = json.loads((folder / "config.json").read_text()) | {"model_type": "roberta"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="holds no weights; of roberta --from_scratch needs a folder that has some"):
        load_encoder(str(folder), "", 24, from_scratch=True)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--output=new",), "--input is empty; see python -m data.vocabulary --help"),
        (("--input={texts}",), "--output is empty"),
        (("--input={texts}", "--output=new", "--heads=3"), "--hidden=256 does not divide over --heads=3; give a mul"),
        (("--input={texts}", "--output=new", "--size=5"), "--size=5: allowed is 100 or more"),
        (("--input={texts}", "--output={texts}"), "texts.txt: this is a file; give a folder"),
        (("--input={folder}/gone.txt", "--output=new"), "gone.txt: no such file"),
        (("--input={texts}", "--output={folder}"), "this folder holds files already; give another, or move it away"),
        (("{texts}",), "no file is allowed here; give --input=FILES and --output=FOLDER"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(texts, tmp_path, arguments, said):
    code, out, err = run(
        *(a.format(texts=texts, folder=tmp_path).replace("=new", f"={tmp_path}/new") for a in arguments)
    )
    assert code == 2 and out == "" and said in err.splitlines()[-1]
    assert not (tmp_path / "new").exists() and not list(tmp_path.glob(".*"))


def test_texts_without_words_are_refused(tmp_path):
    (tmp_path / "empty.txt").write_text(" \n \n", "utf-8")
    code, _, err = run(f"--input={tmp_path}/empty.txt", f"--output={tmp_path}/new", *SMALL)
    assert code == 2 and "no word stands there 2 times; give more text" in err and not (tmp_path / "new").exists()
