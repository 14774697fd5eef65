"""Labels: a sorted vocabulary, unseen ones refused with file:line, weights, and a fingerprint of content alone."""

import numpy as np
import pytest

from trainer.config import DataConfig, UserError
from trainer.inputs.labels import (
    check_known,
    class_weights,
    fingerprint,
    label_ids,
    label_vocabulary,
    splits_vocabulary,
)
from trainer.inputs.sources import Table
from trainer.inputs.splits import Splits, load_splits


def table(labels, texts=None, pairs=None, path="rows.csv"):
    texts = [f"text {n}" for n in range(len(labels))] if texts is None else texts
    return Table(texts, pairs, list(labels), path, np.arange(2, 2 + len(labels)))


def refusal(function, *arguments):
    with pytest.raises(UserError) as caught:
        function(*arguments)
    assert caught.value.exit_code == 2 and len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_the_vocabulary_is_sorted_strings():
    assert label_vocabulary(["b", "10", "a", "2", "b"]) == ("10", "2", "a", "b")


def test_one_class_only_is_refused():
    message = refusal(label_vocabulary, ["good", "good"], "reviews.csv")
    assert message == "reviews.csv: every row has the label 'good'; at least two labels are needed"


def test_a_label_that_train_lacks_is_named_with_its_line_and_the_nearest():
    splits = Splits(table(["good", "bad"]), table(["bad", "goood"], path="dev.tsv"), None)
    message = refusal(splits_vocabulary, splits)
    assert message.startswith("dev.tsv:3: label 'goood' of dev is in no training row; did you mean 'good'?")
    assert splits_vocabulary(Splits(table(["b", "a"]), table(["a"]), table(["b"]))) == ("a", "b")
    assert "of test" in refusal(check_known, ("a", "b"), table(["zzz"]), "test")


def test_label_ids_are_places_in_the_vocabulary():
    ids = label_ids(("a", "b", "c"), ["c", "a", "c"])
    assert ids.tolist() == [2, 0, 2] and ids.dtype == np.int32


def test_balanced_weights_are_those_of_scikit_learn():
    labels, vocabulary = ["a"] * 6 + ["b"] * 3 + ["c"], ("a", "b", "c")
    weights = class_weights("balanced", labels, vocabulary)
    np.testing.assert_allclose(weights, [10 / 18, 10 / 9, 10 / 3], rtol=1e-6)
    assert weights.dtype == np.float32
    assert sum(weights[vocabulary.index(label)] for label in labels) == pytest.approx(len(labels))


def test_named_weights_and_none():
    assert class_weights("none", ["a", "b"], ("a", "b")) is None
    assert class_weights("a=2", ["a", "b"], ("a", "b")).tolist() == [2, 1]
    assert class_weights("b=.5, a=2", ["a", "b"], ("a", "b")).tolist() == [2, 0.5]
    assert class_weights("x, y=2,p=q=3,z=4", [], ("p=q", "x, y", "z")).tolist() == [3, 2, 4]


@pytest.mark.parametrize(
    "spec, said",
    [
        ("goood=2", "no label 'goood'; did you mean 'good'? (labels: bad, good)"),
        ("good=many", "'good=many': allowed is a number from"),
        ("good=0", "allowed is a number"),
        ("good=-1", "allowed is a number"),
        ("good=nan", "allowed is a number"),
        ("good=inf", "allowed is a number"),
        ("good=1e39", "allowed is a number"),
        ("balancd", "allowed are none, balanced, or label=weight"),
        ("good=2,", "allowed are"),
        ("good=2,good=3", "allowed are"),
        ("=2", "allowed are"),
        ("good=", "allowed are"),
    ],
)
def test_wrong_weights_are_one_line(spec, said):
    message = refusal(class_weights, spec, ["good", "bad"], ("bad", "good"))
    assert message.startswith("--class_weights") and said in message


def test_the_fingerprint_is_the_same_for_every_format(tmp_path):
    rows = [(f'text "{n}"', f"{n % 2}") for n in range(40)]
    quoted = [(text.replace('"', '""'), label) for text, label in rows]
    (tmp_path / "a.csv").write_text("label,text\n" + "".join(f'{label},"{text}"\n' for text, label in quoted))
    (tmp_path / "b.tsv").write_text("text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))
    escaped = [(text.replace('"', '\\"'), label) for text, label in rows]
    (tmp_path / "c.jsonl").write_text("".join(f'{{"text": "{t}", "label": {label}}}\n' for t, label in escaped))
    prints = {fingerprint(load_splits(DataConfig(data=str(path)), "")) for path in sorted(tmp_path.iterdir())}
    assert len(prints) == 1
    assert prints.pop().startswith("sha256:")


def test_the_fingerprint_sees_every_change():
    def of(train, dev=None):
        return fingerprint(Splits(train, dev, None))

    prints = [
        of(table(["x", "y"], ["a", "b"])),
        of(table(["y", "x"], ["a", "b"])),
        of(table(["x", "y"], ["b", "a"])),
        of(table(["x", "y"], ["ax", ""])),
        of(table(["x", "y"], ["a", "b"], ["", ""])),
        of(table(["x", "y"], ["a", "b"]), table(["x"], ["a"])),
        of(table(["x"], ["a"]), table(["y"], ["b"])),
    ]
    assert len(set(prints)) == len(prints)
    assert of(table(["x"], ["a"], path="one.csv")) == of(table(["x"], ["a"], path="two.tsv"))
