"""--heads: what each head gets of the run's flags and of its own, and every mistake in one line."""

import pytest

from trainer import flags
from trainer.config import UserError
from trainer.heads import head_configs

RUN = ("--task=multi", "--workdir=run", "--encoder=x", "--epochs=7", "--text_column=tokens", "--data=.")


def heads(text):
    return head_configs(flags.parse([*RUN, f"--heads={text}"]))


def test_a_head_has_the_runs_flags_but_for_its_own():
    found = heads("mood: --label_column=intent --class_weights='a;b=2'; marks: --task=tagging --tag_scheme=BIOES;")
    assert list(found) == ["mood", "marks"]
    assert [each.model.task for each in found.values()] == ["classification", "tagging"]
    assert found["mood"].data.label_column == "intent" and found["marks"].data.label_column == "label"
    assert found["mood"].data.class_weights == "a;b=2" and found["marks"].target.tag_scheme == "BIOES"
    assert {each.data.text_column for each in found.values()} == {"tokens"}
    assert {each.optimizer.epochs for each in found.values()} == {7}


def test_an_embedding_has_flags_that_other_heads_have_not():
    found = heads("near: --task=embedding --text_pair_column=x --matryoshka=4 --pooling=first; other:")
    near, other = found["near"], found["other"]
    assert near.embedding.sizes() == (4,) and near.model.pooling == "first" and near.data.text_pair_column == "x"
    assert other.model.pooling == "auto" and not other.data.text_pair_column


def test_a_head_that_classifies_may_be_out_of_scope():
    found = heads("mood: --out_of_scope=energy --in_scope_kept=0.9; other:")
    assert found["mood"].decision.out_of_scope == "energy" and found["other"].decision.out_of_scope == "none"


def test_a_flagfile_gives_a_head_what_is_a_heads():
    found = heads("stars: --flagfile=trainer/flagfiles/nlupp.flags --loss_weight=0.5; other:")
    assert found["stars"].model.task == "multi_label" and found["stars"].data.label_column == "intents"
    assert found["stars"].optimizer.epochs == 7 and found["stars"].heads.loss_weight == 0.5


@pytest.mark.parametrize(
    "text, said",
    [
        ("a: ", "--heads=a: : give two heads or more; allowed is 'NAME: --flag=value"),
        ("a b:; c:", "--heads: 'a' is no name of a head; allowed is 'NAME: "),
        ("A:; b:", "--heads: 'A:' is no name of a head"),
        ("a:; a:", "--heads: two heads are called a; give each a name of its own"),
        ("a:; a_b:", "--heads: a_b begins with a_, and its outputs with those of a; rename one"),
        ("a: --epochs=3; b:", "--heads, a: --epochs is of the whole run; give it outside of --heads"),
        ("a: --labelcolumn=x; b:", "--heads, a: unknown flag --labelcolumn; did you mean --label_column?"),
        ("a: --task=multi; b:", "--heads, a: --task=multi with --heads=: --heads is what --task=multi learns"),
        (
            "a: --text_pair_column=x; b:",
            "--heads, a: --text_pair_column: a head of --task=classification takes one text a row; leave it out",
        ),
        ("a: --task=embedding; b:", "--heads, a: --text_pair_column is empty: --task=embedding learns from texts that"),
        (
            "a: --task=embedding --text_pair_column=x --embedding_loss=score; b:",
            "--heads, a: --embedding_loss=score: give --score_range=LOW,HIGH",
        ),
        ("a: --matryoshka=4; b:", "--heads, a: --matryoshka: a head of --task=classification learns no vectors; leave"),
        ("a: --pooling=mean; b:", "--heads, a: --pooling is of the whole run; give it outside of --heads"),
        (
            "a: --task=embedding --text_pair_column=x --faq=f.csv; b:",
            "--heads, a: --faq: heads answer no search; leave it out: --task=embedding alone does",
        ),
        (
            "a: --out_of_scope=distance; b:",
            "--heads, a: allowed for a head are --out_of_scope=max_softmax or energy, with --in_scope_kept; a",
        ),
        ("a: --loss_weight=much; b:", "--heads, a: --loss_weight=much: allowed is a number"),
        ("a: --loss_weight=0; b:", "--heads, a: --loss_weight=0.0: allowed is 1e-06 to 1000000.0"),
        ("a: --data='x; b:", "No closing quotation; allowed is 'NAME: "),
        ("a: --data=/nowhere/at/all; b:", "--heads, a: --data=/nowhere/at/all: no such file or folder; give one th"),
    ],
)
def test_a_mistake_is_one_line(text, said):
    with pytest.raises(UserError) as caught:
        heads(text)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [("--task=multi",), ("--heads=a:; b:",)])
def test_heads_and_multi_go_together(given):
    with pytest.raises(UserError, match="--heads is what --task=multi learns"):
        flags.parse(["--workdir=run", "--data=.", *given])
