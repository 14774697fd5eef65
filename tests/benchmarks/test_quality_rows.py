"""The rows of the quality benchmark: every data set's own files become the same rows each time."""

import gzip
import json
import pathlib

import pytest

from benchmarks import quality_rows, quality_spans, quality_splits
from benchmarks.quality_datasets import DATASETS


def write_banking(folder):
    """A tiny data set in banking77's columns: 20 rows of each of two labels, no dev file."""
    rows = [{"text": f"row {i} – ü", "category": "ab"[i % 2]} for i in range(40)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "train.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    (folder / "test.jsonl").write_text(text)


def test_rows_are_split_by_label_and_the_same_each_time(tmp_path):
    write_banking(tmp_path)
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found.append(quality_rows.write_rows("banking77", tmp_path, tmp_path / name))
    assert found[0] == found[1]
    assert {split: found[0][split] for split in quality_rows.SPLITS} == {"train": 36, "dev": 4, "test": 40}
    dev = [json.loads(line) for line in (tmp_path / "one/dev.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(row["label"] for row in dev) == ["a", "a", "b", "b"]
    train = (tmp_path / "one/train.jsonl").read_text(encoding="utf-8")
    assert not any(row["text"] + '"' in train for row in dev)


def test_pairs_keep_both_texts_and_quotes_in_tsv(tmp_path):
    text = 'Quality\t#1 String\t#2 String\n1\tHe said "no.\tNo", he said.\n0\ta\tb\n'
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.tsv").write_text(text)
    rows = quality_rows.read_split(tmp_path, "train", DATASETS["mrpc"])
    assert rows[0] == {"text": 'He said "no.', "text_pair": 'No", he said.', "label": "1"}


def test_a_missing_column_or_split_is_named(tmp_path):
    with pytest.raises(quality_rows.RowsError, match="no rows in train"):
        quality_rows.write_rows("sst2", tmp_path, tmp_path)
    (tmp_path / "train.csv").write_text("text,label\na,b\n")
    with pytest.raises(quality_rows.RowsError, match="no column 'sentence'; it has text, label"):
        quality_rows.write_rows("sst2", tmp_path, tmp_path)


def read(folder, name):
    """Rows of a file that write_rows wrote."""
    return [json.loads(line) for line in (pathlib.Path(folder) / f"{name}.jsonl").read_text("utf-8").splitlines()]


def written(name, source, target, **given):
    """(counts, {file: rows}) of a data set."""
    target.mkdir()
    counts = quality_rows.write_rows(name, source, target, **given)
    return counts, {path.stem: read(target, path.stem) for path in target.iterdir()}


def write_table(path, *lines):
    path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")


def test_few_training_rows_keep_the_share_of_each_label(tmp_path):
    rows = [(f"row {i}", "rare" if i % 8 == 0 else "often") for i in range(64)]
    for name in ("train", "validation", "test"):
        write_table(tmp_path / f"{name}.tsv", ("text", "label"), *rows)
    counts, found = written("emotion", tmp_path, tmp_path / "few", max_train_rows=16)
    assert {split: counts[split] for split in quality_rows.SPLITS} == {"train": 16, "dev": 64, "test": 64}
    labels = [row["label"] for row in found["train"]]
    assert labels.count("rare") == 2
    places = [int(row["text"].split()[1]) for row in found["train"]]
    assert places == sorted(set(places)) and places != list(range(0, 64, 4))
    assert written("emotion", tmp_path, tmp_path / "again", max_train_rows=16) == (counts, found)
    assert written("emotion", tmp_path, tmp_path / "all", max_train_rows=0)[0]["train"] == 64
    assert quality_splits.draw(rows, 64) is rows


def test_one_file_is_split_by_label_without_broken_or_repeated_texts(tmp_path):
    rows = [(f"row {i}", "ab"[i % 2]) for i in range(100)]
    rows += [("row  1", "a"), ("it costs 1 \ufffd", "a")]
    write_table(tmp_path / "Sentences_50Agree.tsv", ("sentence", "label"), *rows)
    counts, found = written("financial_phrasebank", tmp_path, tmp_path / "out")
    assert {split: counts[split] for split in quality_rows.SPLITS} == {"train": 72, "dev": 8, "test": 20}
    texts = [row["text"] for split in quality_rows.SPLITS for row in found[split]]
    assert sorted(texts) == sorted(f"row {i}" for i in range(100))
    assert [row["label"] for row in found["test"]].count("a") == 10


def test_texts_out_of_scope_are_rows_of_their_own(tmp_path):
    for name in ("train", "val", "test"):
        write_table(tmp_path / f"{name}.tsv", ("text", "intent"), ("hi", "greet"), ("bye", "leave"))
    with pytest.raises(quality_rows.RowsError, match="no rows in oos_test"):
        written("clinc150", tmp_path, tmp_path / "none")
    write_table(tmp_path / "oos_test.tsv", ("text", "intent"), ("why", "oos"))
    counts, found = written("clinc150", tmp_path, tmp_path / "out")
    assert (counts["dev"], counts["out_of_scope"]) == (2, 1)
    assert found["out_of_scope"] == [{"text": "why", "label": "oos"}]


def test_a_file_without_a_head_has_its_columns_by_place(tmp_path):
    own = ("main-news", "MSRpar", "2012", "7", "4.250", 'a "b', "c")
    for name in ("train", "dev", "test"):
        write_table(tmp_path / f"{name}.tsv", own, (*own, "a source", "another"))
    _, found = written("stsb", tmp_path, tmp_path / "out")
    assert found["train"] == [{"text": 'a "b', "text_pair": "c", "label": "4.250"}] * 2


def test_labels_of_a_row_are_joined_and_folds_are_splits(tmp_path):
    rows = [{"fold": fold, "text": f"text {fold}", "intents": ["why", "card"]} for fold in range(20)]
    del rows[3]["intents"]
    (tmp_path / "hotels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    counts, found = written("nlupp_hotels", tmp_path, tmp_path / "out")
    assert {split: counts[split] for split in quality_rows.SPLITS} == {"train": 16, "dev": 2, "test": 2}
    assert found["train"][3] == {"text": "text 3", "label": ""} and found["train"][4]["label"] == "why|card"
    assert found["test"][0]["text"] == "text 18"


def test_questions_of_squad_that_have_an_answer_are_rows_and_a_paragraph_stays_on_one_side(tmp_path):
    def article(name):
        paragraphs = [
            {
                "context": f"{name} {place} is here",
                "qas": [
                    {"question": f"{name}?", "answers": [{"text": name, "answer_start": 0}]},
                    {"question": "is it?", "answers": [{"text": "here", "answer_start": len(name) + 6}] * 2},
                    {"question": "why?", "answers": []},
                ],
            }
            for place in range(5)
        ]
        return {"title": name, "paragraphs": paragraphs}

    for name, articles in (("train_subset_v1.1_clean", "abcd"), ("dev_half_v2.0", "e")):
        text = json.dumps({"data": [article(each) for each in articles]})
        (tmp_path / f"{name}.json.gz").write_bytes(gzip.compress(text.encode()))
    counts, found = written("squad", tmp_path, tmp_path / "out")
    assert [counts[split] for split in quality_rows.SPLITS] == [36, 4, 10]
    assert not {row["text_pair"] for row in found["train"]} & {row["text_pair"] for row in found["dev"]}
    row = {"text": "e?", "text_pair": "e 0 is here", "label": '[[0, "e"]]'}
    assert found["test"][0] == row and "why?" not in {row["text"] for row in found["train"]}


CONLL = """-DOCSTART- -X- -X- O

U.N. NNP B-NP B-ORG
official NN I-NP O
Rolf NNP B-NP B-PER
Ekeus\tNNP I-NP I-PER
. . O O

Peace NN B-NP O
"""


def test_columns_of_words_and_tags_become_spans_of_characters(tmp_path):
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.txt.gz").write_bytes(gzip.compress(CONLL.encode()))
    counts, found = written("conll2003", tmp_path, tmp_path / "out")
    assert counts["train"] == 2 and found["test"] == found["train"]
    first, second = found["train"]
    assert first["text"] == "U.N. official Rolf Ekeus ." and second == {
        "text": "Peace",
        "label": "[]",
        "words": [[0, 5]],
    }
    spans = json.loads(first["label"])
    assert [(first["text"][a:b], kind) for a, b, kind in spans] == [("U.N.", "ORG"), ("Rolf Ekeus", "PER")]
    assert [first["text"][a:b] for a, b in first["words"]] == first["text"].split()


def test_slots_are_tags_of_words_whatever_stands_between(tmp_path):
    head, row = ("intent", "tokens", "slots"), ("GetWeather", "is it hot in gold beach  bahrain", "O O O O B-a I-a B-b")
    for name in ("train", "valid", "test"):
        write_table(tmp_path / f"{name}.tsv", head, row)
    _, found = written("snips_slots", tmp_path, tmp_path / "out")
    (row,) = found["dev"]
    assert [(row["text"][a:b], kind) for a, b, kind in json.loads(row["label"])] == [
        ("gold beach", "a"),
        ("bahrain", "b"),
    ]
    write_table(tmp_path / "valid.tsv", head, ("GetWeather", "is it hot", "O O"))
    with pytest.raises(quality_rows.RowsError, match=r"valid.tsv: 'is it hot' has 2 tags for 3 words"):
        written("snips_slots", tmp_path, tmp_path / "none")


def test_inclusive_ends_of_characters_and_dev_as_test(tmp_path):
    label = {"book": {"《招商银行》": [[2, 7]]}, "company": {"招商银行": [[3, 6]]}, "name": {"我": [[9, 9]]}}
    rows = [{"text": "买了《招商银行》 我", "label": label}] * 20 + [{"text": "好", "label": {}}] * 20
    for name, count in (("train", 40), ("dev", 30)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows[:count])
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    counts, found = written("cluener2020", tmp_path, tmp_path / "out")
    assert {split: counts[split] for split in quality_rows.SPLITS} == {"train": 36, "dev": 4, "test": 30}
    row = found["test"][0]
    assert json.loads(row["label"]) == [[2, 8, "book"], [9, 10, "name"]]  # the inner one shares its characters
    assert "".join(row["text"][a:b] for a, b in row["words"]) == "买了《招商银行》我" and row["words"][8] == [9, 10]
    assert [row["label"] for row in found["dev"]].count("[]") == 2


def test_a_draw_of_texts_with_spans_goes_by_their_rarest_type():
    rows = [quality_spans.row_of("a b", tags) for tags in ["B-x B-y"] + ["B-x O"] * 3 + ["O O"] * 4]
    assert quality_splits.labels_of(rows) == ["y", "x", "x", "x", "", "", "", ""]
    assert [row["label"] for row in quality_splits.draw(rows, 4)].count("[]") == 2
