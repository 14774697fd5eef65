"""The figures that are known of public data sets, where those lie beside the checkout."""

import pathlib

import pytest

from tests.data.doctor.asking import ask
from trainer.config import cache_dir, carried_path

DATA = pathlib.Path(__file__).parents[3].parent / "shared" / "data"  # beside the checkout, where there is any
QUICK = ("--json", "--nolanguages", "--nopersonal", "--nosimilar")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def real(name):
    if not (DATA / name).exists():
        pytest.skip(f"no {DATA / name}")
    return DATA / name


def overlaps(answer):
    """{(file, what it was compared with): (exact, near)}."""
    return {(o["file"], o["in"]): (o["exact"], o["near"]) for o in answer.report["overlaps"]}


def test_chnsenticorp():
    folder = real("chnsenticorp")
    answer = ask(folder, "--text_column=text_a", *QUICK)
    train, dev, test = (str(folder / f"{name}.tsv.gz") for name in ("train", "dev", "test"))
    found = overlaps(answer)
    assert (found[train, train], found[dev, train], found[test, train]) == ((1351, 1367), (338, 342), (331, 335))
    assert answer.code == 1


def test_banking77():
    folder = real("banking77")
    found = overlaps(ask(folder, "--label_column=category", *QUICK))
    train, test = (str(folder / f"{name}.jsonl.gz") for name in ("train", "test"))
    assert found[test, train] == (7, 29) and found[train, train] == (4, 32)


def test_financial_phrasebank():
    file = real("financial_phrasebank/Sentences_50Agree.tsv.gz")
    found = ask(file, "--text_column=sentence", *QUICK).found("warning")
    assert found["replacement_characters"]["count"] == 111


def test_sst2_and_the_snippets_of_the_cache():
    """By letters and digits, most of SST-2 is in the snippets: both come from one source."""
    folder = real("sst2")
    snippets = carried_path("movie-snippets", cache_dir())
    if not (snippets / "neutral.tsv").is_file():
        pytest.skip(f"no {snippets / 'neutral.tsv'}: run python -m data.fetch")
    answer = ask(folder, snippets, snippets / "neutral.tsv", "--text_column=sentence,text", *QUICK)
    found = overlaps(answer)
    near = {name: found[str(folder / f"{name}.tsv.gz"), str(snippets)][1] for name in ("train", "dev", "test")}
    assert near == {"train": 7284, "dev": 732, "test": 1490}
