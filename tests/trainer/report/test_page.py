"""report.html holds everything that is there, fetches nothing, and shows hostile text as text."""

import html.parser
import json
import re

import pytest

from tests.trainer.report import workdirs
from trainer.config import UserError
from trainer.report import comparison, page

OUTSIDE = re.compile(r"^\s*(https?:|//|ftp:|file:)", re.I)


class Page(html.parser.HTMLParser):
    """tags: of every element; references: what any attribute or style would fetch; text: what is shown."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.references, self.shown, self.handlers = set(), [], [], []
        self.feed(text)
        self.text = " ".join(" ".join(self.shown).split())

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            if name.rpartition(":")[2] in ("src", "href", "srcset", "action", "data", "poster"):
                self.references.append(value or "")
            self.references += re.findall(r"url\(['\"]?([^)'\"]*)", value or "")
            self.handlers += [name] if name.startswith("on") else []

    def handle_data(self, data):
        self.shown.append(data)
        self.references += re.findall(r"url\(['\"]?([^)'\"]*)|@import\s+(\S+)", data) if "{" in data[:50] else []


def check_closed(text):
    """Nothing of a page leads outside, and no script is in it."""
    parsed = Page(text)
    assert not [reference for reference in parsed.references if OUTSIDE.match(str(reference))]
    assert all(str(reference).startswith(("#", "data:")) for reference in parsed.references)
    assert not parsed.tags & {"script", "iframe", "object", "embed", "img", "form", "base"} and not parsed.handlers
    assert "default-src 'none'" in text
    return parsed


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "hostile"
    texts = [workdirs.HOSTILE, "\x00 \x1b[31m \u202e"] * 30
    labels = (workdirs.HOSTILE, "</style><script>", "]]>")
    return workdirs.make(path, labels, texts=texts, strength=0.5)


def test_hostile_text_is_shown_and_does_nothing(hostile):
    parsed = check_closed(page.html(hostile))
    assert workdirs.HOSTILE in parsed.text
    assert "</style><script>" in parsed.text and "�" in parsed.text


def test_it_tells_everything(tmp_path):
    parsed = check_closed(page.html(workdirs.make(tmp_path / "run", learning_rate=3e-5)))
    for part in (
        *("reviews", "proven", "sha256:0123456789abcdef", "near duplicates", "train.csv:7", "test.csv:9"),
        *("--learning_rate 3e-05 5e-05", "0.700"),
        *("Apache-2.0", "9 shapes", "of step 50", "Gradient norm", "Label by label", "Worst mistakes", "1.100"),
        *("60.0%", "1.2e-06", "22,713,600", "86.8 MB", "900 tokens/s", "80 texts/s", "2.19"),
    ):
        assert part in parsed.text, part
    assert parsed.tags >= {"svg", "table", "details"}


def test_what_is_missing_is_said(tmp_path):
    path = workdirs.make(tmp_path / "run", full=False)
    for name in ("predictions.jsonl", "per_class.json", "curve.json", "manifest.json"):
        (path / name).unlink()
    text = check_closed(page.html(path)).text
    assert "not exported" in text and "run --mode=evaluate" in text and "Calibration" not in text


def test_predictions_of_other_texts_are_not_taken_for_the_judged_ones(tmp_path):
    path = workdirs.make(tmp_path / "run")
    (path / "predictions.jsonl").write_text('{"row": 0, "text": "new", "label": "positive"}\n')
    assert "predictions.jsonl does not hold the rows of test" in page.html(path)


def test_many_labels(tmp_path):
    path = workdirs.make(tmp_path / "run", [f"label {i}" for i in range(77)], rows=300)
    text = check_closed(page.html(path)).text
    assert "Rows of all 77 labels" in text and "The other 57 labels" in text and "most frequent confusions" in text


def test_a_workdir_that_was_moved_still_shows_its_proof(tmp_path):
    workdirs.make(tmp_path / "run").rename(tmp_path / "moved")
    assert "verdict" in page.html(tmp_path / "moved")


def test_a_version_in_fewer_bits_says_what_it_was_held_to(tmp_path):
    path = workdirs.make(tmp_path / "run")
    (file,) = path.glob("export/*/proof.json")
    proof = json.loads(file.read_text()) | {"precision": "int8", "tolerance": 2e-2}
    proof["accuracy"] = {"rows": 1000, "version": 0.853, "trained_model": 0.855, "allowed_loss": 0.003}
    proof["faster"] = {"milliseconds": {"int8": 154.7, "bfloat16": 185.4}}
    for at_work, said in (
        (True, "largest difference 1.0e-02 (allowed 2e-02), 3 label flips"),
        (False, "changes nothing"),
    ):
        mixed = {"max_difference": 1e-2, "tolerance": 2e-2, "flips": 3, "at_work": at_work}
        file.write_text(json.dumps(proof | {"mixed_precision": mixed}))
        text = check_closed(page.html(path)).text
        assert said in text and "--mixed_precision=bfloat16" in text
        assert "85.3%; the trained model 85.5% (allowed 0.3 points less)" in text.replace(" %", "%")
        assert "int8 154.7, bfloat16 185.4" in text


def test_an_exported_version_that_decides_otherwise_is_told(tmp_path):
    path = workdirs.make(tmp_path / "run")
    results = json.loads((path / "results.json").read_text())
    (contract,) = path.glob("export/*/contract.json")
    same = {"temperature": results["decisions"]["temperature"]}
    same |= {key: results["decisions"]["abstain"][key] for key in ("target_precision", "threshold")}
    for decisions, told in ((same, False), (same | {"temperature": 3.0}, True), (same | {"threshold": 0.1}, True)):
        contract.write_text(json.dumps({"model_name": "tickets", "decisions": decisions}))
        shown = page.html(path)
        assert ("decides otherwise" in shown) == told and "<title>tickets" in shown


def test_an_unbounded_threshold_or_none(tmp_path):
    path = workdirs.make(tmp_path / "run")
    results = json.loads((path / "results.json").read_text())
    abstain = results["decisions"]["abstain"]
    abstain |= {"thresholds": {"negative": 0.4}, "test": {"precision": None, "coverage": 0.0}}
    (path / "results.json").write_text(json.dumps(results))
    text = Page(page.html(path)).text
    assert "each label’s own" in text and "none answered" in text


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lambda path: (path / "results.json").write_text("{"), "results.json is no whole JSON file"),
        (lambda path: (path / "predictions.jsonl").write_text('{"a": 1}\n{"b"'), "predictions.jsonl:2: no whole JSON"),
        (lambda path: (path / "results.json").unlink(), "nothing was trained here to the end; run --mode=train first"),
        (lambda path: (path / "flags.txt").unlink(), "is no workdir: it has no flags.txt"),
    ],
)
def test_spoilt_workdirs(tmp_path, spoil, said):
    path = workdirs.make(tmp_path / "run")
    spoil(path)
    with pytest.raises(UserError) as caught:
        page.html(path)
    assert said in str(caught.value) and len(str(caught.value).splitlines()) == 1


def test_the_comparison_is_as_closed(hostile, tmp_path):
    other = workdirs.make(tmp_path / "<script>other", (workdirs.HOSTILE, "</style><script>", "]]>"), seed=1)
    parsed = check_closed(comparison.html(comparison.compare([hostile, other])))
    assert workdirs.HOSTILE in parsed.text and "<script>other" in parsed.text
