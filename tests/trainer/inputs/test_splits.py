"""Splits: found in a folder, or made: stratified, seeded, the same for any order and format, no text on both sides."""

import collections
import json

import pytest

from trainer.config import DataConfig, UserError
from trainer.inputs.splits import NAMES, load_splits

ROWS = [(f"text {number}", f"label{number % 3}") for number in range(300)]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows))
    else:
        mark = {".csv": ",", ".tsv": "\t"}[path.suffix]
        path.write_text("".join(f"{text}{mark}{label}\n" for text, label in [("text", "label"), *rows]))
    return path


def load(path, cache="nowhere", **options):
    return load_splits(DataConfig(data=str(path), **options), cache)


def refusal(*arguments, **options):
    with pytest.raises(UserError) as caught:
        load(*arguments, **options)
    assert caught.value.exit_code == 2 and len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def counts(table):
    return dict(collections.Counter(table.labels))


def contents(splits):
    return {name: sorted(zip(table.texts, table.labels, strict=True)) for name, table in splits.named().items()}


@pytest.mark.parametrize("dev", NAMES["dev"])
@pytest.mark.parametrize("kind", [".csv", ".tsv", ".jsonl"])
def test_a_folder_with_all_three(tmp_path, kind, dev):
    for name, part in (("train", ROWS[:30]), (dev, ROWS[30:40]), ("test", ROWS[40:45])):
        write(tmp_path / (name + kind), part)
    (tmp_path / "README.md").write_text("not data")
    (tmp_path / "train.xlsx").write_text("not read")
    splits = load(tmp_path)
    assert [len(table) for table in splits.named().values()] == [30, 10, 5]
    assert splits.dev.path.endswith(dev + kind) and splits.test.texts[0] == "text 40"


def test_a_folder_without_dev_holds_some_of_train_out_and_test_may_be_absent(tmp_path):
    write(tmp_path / "train.csv", ROWS)
    splits = load(tmp_path)
    assert splits.test is None and list(splits.named()) == ["train", "dev"]
    assert counts(splits.dev) == {"label0": 10, "label1": 10, "label2": 10} and len(splits.train) == 270


def test_one_file_is_split_in_three_stratified_in_file_order(tmp_path):
    splits = load(write(tmp_path / "all.csv", ROWS), dev_fraction=0.2, test_fraction=0.1)
    assert counts(splits.train) == dict.fromkeys(["label0", "label1", "label2"], 70)
    assert counts(splits.dev) == dict.fromkeys(["label0", "label1", "label2"], 20)
    assert counts(splits.test) == dict.fromkeys(["label0", "label1", "label2"], 10)
    assert sorted(text for table in splits.named().values() for text in table.texts) == sorted(t for t, _ in ROWS)
    for table in splits.named().values():
        assert (table.lines[:-1] < table.lines[1:]).all()
        assert all(ROWS[line - 2][0] == text for line, text in zip(table.lines, table.texts, strict=True))


def test_a_split_depends_on_seed_and_texts_alone(tmp_path):
    first = contents(load(write(tmp_path / "a.csv", ROWS)))
    assert contents(load(write(tmp_path / "b.jsonl", ROWS[::-1]))) == first
    other = contents(load(tmp_path / "a.csv", split_seed=1))
    assert other != first and {name: len(rows) for name, rows in other.items()} == {
        name: len(rows) for name, rows in first.items()
    }


def test_dev_and_test_are_not_drawn_alike(tmp_path):
    write(tmp_path / "folder/train.csv", ROWS)
    dev = load(tmp_path / "folder").dev
    test = load(write(tmp_path / "a.csv", ROWS)).test
    assert set(dev.texts) != set(test.texts)


def test_a_text_never_lands_on_two_sides(tmp_path):
    rows = [(f"{' ' * (n // 60)}same {' ' * (n // 120)}{n % 60}", f"label{n % 60 % 2}") for n in range(600)]
    assert len({text for text, _ in rows}) == 600
    splits = load(write(tmp_path / "a.tsv", rows), dev_fraction=0.2, test_fraction=0.2)
    sides = [{" ".join(text.split()) for text in table.texts} for table in splits.named().values()]
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
    assert 100 <= len(splits.dev) <= 140 and 100 <= len(splits.test) <= 140


def test_a_text_with_two_labels_stays_on_one_side(tmp_path):
    rows = [(f"t{n // 2}", f"label{n % 2}") for n in range(200)]
    splits = load(write(tmp_path / "a.csv", rows))
    sides = [set(table.texts) for table in splits.named().values()]
    assert sum(map(len, sides)) == len(set.union(*sides))


def test_pairs_count_as_one_text(tmp_path):
    lines = [f"question,answer {n},label{n % 2}" for n in range(100)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["text,other,label", *lines]))
    splits = load(path, text_pair_column="other")
    assert len(splits.test) == 10 and set(splits.test.pairs).isdisjoint(splits.train.pairs)


@pytest.mark.parametrize("rare", [1, 2, 3])
def test_rare_labels_stay_in_train_first(tmp_path, rare):
    rows = [*ROWS, *[(f"rare {number}", "rare") for number in range(rare)]]
    splits = load(write(tmp_path / "a.csv", rows), dev_fraction=0.3, test_fraction=0.3)
    assert counts(splits.train)["rare"] >= 1
    if rare == 1:
        assert "rare" not in counts(splits.dev) and "rare" not in counts(splits.test)


def test_labels_with_one_text_do_not_use_up_what_is_held_out(tmp_path):
    rows = [*[(f"text {n}", "common") for n in range(20)], *[(f"only {n}", f"rare{n}") for n in range(10)]]
    assert counts(load(write(tmp_path / "a.csv", rows)).test) == {"common": 3}


def test_every_label_of_many_stays_in_train(tmp_path):
    rows = [(f"text {n}", f"label{n % 77}") for n in range(77 * 3)]
    splits = load(write(tmp_path / "a.csv", rows), dev_fraction=0.4, test_fraction=0.4)
    assert len(counts(splits.train)) == 77
    assert len(splits.test) == round(77 * 3 * 0.4)


def test_a_dozen_rows_still_give_every_split(tmp_path):
    splits = load(write(tmp_path / "a.csv", ROWS[:12]))
    assert [len(table) for table in splits.named().values()] == [10, 1, 1]


def test_share_0_holds_nothing_out(tmp_path):
    splits = load(write(tmp_path / "a.csv", ROWS), test_fraction=0.0)
    assert splits.test is None and len(splits.dev) == 30
    splits = load(tmp_path / "a.csv", test_fraction=0.0, dev_fraction=0.0)
    assert splits.dev is None and len(splits.train) == 300


def test_too_few_rows_to_hold_any_out(tmp_path):
    assert "too few rows to hold out any for test" in refusal(write(tmp_path / "a.csv", ROWS[:2]))
    assert "too few" in refusal(write(tmp_path / "b.csv", [("same", "a")] * 50 + [("other", "b")]))


def test_one_label_only_is_said_before_too_few_rows(tmp_path):
    assert "every row has the label 'a'" in refusal(write(tmp_path / "b.csv", [("same", "a")] * 2))
    write(tmp_path / "train.csv", [("same", "a")] * 2)
    assert "every row has the label 'a'" in refusal(tmp_path)


def test_two_files_for_one_split(tmp_path):
    write(tmp_path / "train.csv", ROWS)
    write(tmp_path / "train.tsv", ROWS)
    assert "both train.csv and train.tsv could be train" in refusal(tmp_path)
    (tmp_path / "train.tsv").unlink()
    write(tmp_path / "dev.csv", ROWS)
    write(tmp_path / "val.csv", ROWS)
    assert "both dev.csv and val.csv could be dev" in refusal(tmp_path)


def test_a_folder_without_train_says_what_it_holds(tmp_path):
    assert "the folder holds nothing" in refusal(tmp_path)
    write(tmp_path / "reviews.csv", ROWS)
    said = refusal(tmp_path)
    kinds = ".csv,.tsv,.jsonl,.conll,.json,.parquet,.arrow,.tfrecord,.tfrecords"
    assert f"no train{{{kinds}}} (the first five also .gz)" in said
    assert said.endswith("the folder holds reviews.csv")


def test_carried_data_comes_from_the_cache_or_says_how_to_fetch_it(tmp_path):
    assert "run: python -m data.fetch" in refusal("pip:movie-snippets", cache=tmp_path)
    for name in NAMES:
        write(tmp_path / "carried" / "movie-snippets" / f"{name}.csv", ROWS[:10])
    assert "did you mean pip:movie-snippets?" in refusal("pip:movie-snipets", cache=tmp_path)
    assert len(load("pip:movie-snippets", cache=tmp_path).test) == 10


def test_no_data_and_missing_data():
    assert "--data is empty" in refusal("")
    assert "--data=not/here: no such file or folder" in refusal("not/here")


def test_errors_in_a_split_file_name_that_file(tmp_path):
    write(tmp_path / "train.csv", ROWS)
    (tmp_path / "dev.csv").write_text("text,label\na,\n")
    assert f"{tmp_path / 'dev.csv'}:2: the label is empty" in refusal(tmp_path)
