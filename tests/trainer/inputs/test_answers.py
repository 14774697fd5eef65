"""Answers of every form become one; what does not stand in its context is counted, listed, refused when too much."""

import gzip
import json

import pytest

from trainer.config import Config, DataConfig, TargetConfig, UserError
from trainer.inputs.answers import answers_in
from trainer.inputs.label_columns import label_column
from trainer.inputs.sources import read_table
from trainer.inputs.splits import load_splits

CONTEXT = "Ada met 小明 in Paris 👍🏽 today"
COLUMNS = ("question", "context", "answers")
GOLD = [[14, "Paris"], [11, "in Paris"]]
HF = {"text": ["Paris", "in Paris"], "answer_start": [14, 11]}
OBJECTS = [{"answer_start": start, "text": text} for start, text in GOLD]


def table(path, content, share=0.01):
    """The normalised Table of a file, read as --task=span_qa reads it."""
    write = gzip.open if path.suffix == ".gz" else open
    with write(path, "wt", encoding="utf-8") as file:
        file.write(content)
    column = label_column("answers", Config(target=TargetConfig(unmatched_share=share)))
    text, pair, label = COLUMNS
    return column.normalised(read_table(path, text, pair, column.column(label), empty=column.may_be_empty))


def refusal(*given, **settings):
    with pytest.raises(UserError) as caught:
        table(*given, **settings)
    return str(caught.value)


def squad(*questions, context=CONTEXT):
    return json.dumps(
        {"version": "v2.0", "data": [{"title": "Ada", "paragraphs": [{"context": context, "qas": list(questions)}]}]}
    )


def asked(answers, number=1, **more):
    return {"question": "Where?", "id": f"q{number}", "answers": answers, **more}


def jsonl(*cells):
    rows = (dict(zip(COLUMNS, ("Where?", CONTEXT, cell), strict=True)) for cell in cells)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.mark.parametrize(
    "name, content, identity",
    [
        ("rows.json", squad(asked(OBJECTS)), "q1"),
        ("rows.json.gz", squad(asked(OBJECTS)), "q1"),
        ("rows.jsonl", jsonl(HF), ""),
        ("rows.jsonl", jsonl(OBJECTS), ""),
        ("rows.jsonl.gz", jsonl(GOLD), ""),
        ("rows.jsonl", jsonl({"id": "q1", "answers": HF}), "q1"),
        ("rows.tsv", "question\tcontext\tanswers\nWhere?\t" + f"{CONTEXT}\t{json.dumps(HF)}\n", ""),
    ],
)
def test_every_form_is_one(tmp_path, name, content, identity):
    found = table(tmp_path / name, content)
    assert list(found.texts) == ["Where?"] and list(found.pairs) == [CONTEXT]
    assert json.loads(found.labels[0]) == {"id": identity, "answers": GOLD}


def test_parquet_rows_of_hugging_face(tmp_path):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = {"question": ["Where?"] * 2, "context": [CONTEXT] * 2, "answers": [HF, {"text": [], "answer_start": []}]}
    parquet.write_table(pa.table(rows), tmp_path / "rows.parquet")
    column = label_column("answers", Config())
    found = read_table(tmp_path / "rows.parquet", "question", "context", column.column("answers"), empty=True)
    assert list(map(answers_in, column.normalised(found).labels)) == [GOLD, []]


def test_questions_without_an_answer(tmp_path):
    questions = [asked([]), asked([], is_impossible=True), asked(OBJECTS, is_impossible=True), asked(OBJECTS)]
    found = table(tmp_path / "rows.json", squad(*questions))
    assert [answers_in(cell) for cell in found.labels] == [[], [], [], GOLD]
    assert [answers_in(cell) for cell in table(tmp_path / "a.jsonl", jsonl(None, [], "")).labels] == [[], [], []]


def test_what_does_not_stand_in_its_context_is_left_out_and_listed(tmp_path, capsys):
    moved, beyond = {"text": "Paris", "answer_start": 13}, {"text": "today", "answer_start": 90}
    questions = [asked([moved], 1), asked([moved, *OBJECTS], 2), asked([beyond], 3), asked([], 4)]
    found = table(tmp_path / "rows.json", squad(*questions), share=0.8)
    assert [json.loads(cell)["id"] for cell in found.labels] == ["q2", "q4"] and found.lines.tolist() == [2, 4]
    assert answers_in(found.labels[0]) == GOLD
    said = capsys.readouterr().err
    assert "note: 3 of 5 answers do not stand in their context and are left out, 2 questions with them: " in said
    assert "rows.json:1: question 'q1': the context has ' Pari' at 13 and not 'Paris'; " in said
    assert "rows.json:3: question 'q3': 'today' at 90 lies outside of the context of 28 characters" in said
    refused = refusal(tmp_path / "rows.json", squad(*questions), share=0.5)
    assert "3 of 5 answers do not stand in their context, allowed is a share of 0.5 (--unmatched_share): " in refused


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("a.json", '{"data": [\n{"title": ]}', "a.json:2: not JSON at character 11"),
        ("a.json", "[" * 100_000, "a.json:1: not JSON that can be read: nested too deeply"),
        ("a.json", "[1, 2]", "a.json:1: not a SQuAD file, which is {"),
        ("a.json", '{"data": [{"title": "Ada"}]}', "a.json:1: article 1 ('Ada'): no list 'paragraphs'; a SQuAD"),
        ("a.json", '{"data": [{"paragraphs": [5]}]}', "a.json:1: article 1, paragraph 1: not a JSON object"),
        (
            "a.json",
            squad(asked([])).replace('"context"', '"text"'),
            "article 1 ('Ada'), paragraph 1, question 'q1': no ",
        ),
        ("a.json", squad(asked([]), {"id": "q2"}), "a.json:2: article 1 ('Ada'), paragraph 1, question 'q2': no 'qu"),
        ("a.json", squad(asked(5)), "question 'q1': column 'answers' has 5 for answers; allowed are {"),
        ("a.json", squad(asked([{"text": "Paris"}])), "question 'q1': column 'answers' has [{'text': 'Paris'}] for"),
        ("a.jsonl", jsonl(HF, {"text": ["Paris"]}), "a.jsonl:2: column 'answers' has {'text': ['Paris']} for answers"),
        ("a.jsonl", jsonl({"text": ["a"], "answer_start": []}), "a.jsonl:1: column 'answers' has {'text': ['a'], 'an"),
        (
            "a.tsv",
            "question\tcontext\tanswers\na\tb\t[[\n",
            "a.tsv:2: the answers are not JSON at character 3; allowed",
        ),
        ("a.tsv", "question\tcontext\tanswers\na\tb\tParis\n", "a.tsv:2: the answers are not JSON at character 1; all"),
        ("a.json", '{"data": []}', "a.json: holds no rows; give a file with rows of text"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_its_place(tmp_path, name, content, said):
    found = refusal(tmp_path / name, content)
    assert said in found and "\n" not in found


def test_columns_of_a_squad_file_have_their_names(tmp_path):
    (tmp_path / "a.json").write_text(squad(asked([])))
    with pytest.raises(UserError, match="no column 'text'; did you mean 'context'|no column 'text' "):
        read_table(tmp_path / "a.json", need_labels=False)
    found = read_table(tmp_path / "a.json", "question", "context", "id")
    assert (list(found.texts), list(found.pairs), list(found.labels)) == (["Where?"], [CONTEXT], ["q1"])


def test_a_split_of_ours_keeps_a_context_on_one_side(tmp_path):
    paragraphs = [
        {
            "context": f"film {number} is good",
            "qas": [asked([{"text": "good", "answer_start": 10 if number < 10 else 11}])] * 4,
        }
        for number in range(30)
    ]
    (tmp_path / "all.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    config = DataConfig(
        data=str(tmp_path / "all.json"), text_column="question", text_pair_column="context", label_column="answers"
    )
    splits = load_splits(config, tmp_path, label_column("answers", Config()))
    sides = [set(part.pairs) for part in splits.named().values()]
    assert len(sides) == 3 and sum(map(len, sides)) == 30 == len(set.union(*sides))


def test_what_the_training_rows_say(tmp_path, capsys):
    for split, cells in {"train": (HF, []), "dev": (HF, HF), "test": ([], HF)}.items():
        (tmp_path / f"{split}.jsonl").write_text(jsonl(*cells))
    column = label_column("answers", Config())
    config = DataConfig(data=str(tmp_path), text_column="question", text_pair_column="context", label_column="answers")
    splits = load_splits(config, tmp_path, column)
    assert column.learned(splits) == {"unanswerable": True}
    assert column.counts(splits.train.labels, {}) == {"answerable": 1, "unanswerable": 1}
    (tmp_path / "train.jsonl").write_text(jsonl(HF))
    assert column.learned(load_splits(config, tmp_path, column)) == {"unanswerable": False}
    assert "note: 1 of 2 questions of test have no answer, and none of train" in capsys.readouterr().err
    (tmp_path / "train.jsonl").write_text(jsonl([]))
    with pytest.raises(UserError, match="train.jsonl: no row has an answer"):
        column.learned(load_splits(config, tmp_path, column))
