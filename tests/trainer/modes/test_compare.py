"""--mode=compare, as its user gives it."""

import json
import subprocess
import sys

import pytest

from tests.commands import ROOT, run_main
from tests.trainer.report import workdirs


@pytest.fixture
def runs(tmp_path):
    return [workdirs.make(tmp_path / name, seed=seed, epochs=2 + seed) for seed, name in enumerate(("one", "two"))]


def compare(runs, *more):
    return run_main("--mode=compare", "--compare=" + ",".join(map(str, runs)), *more)


def test_people_get_tables(runs):
    done = compare(runs)
    assert done.code == 0 and done.err == ""
    for shown in (
        "--epochs",
        "test accuracy",
        "F1 by label",
        "negative",
        "training device",
        "only the first",
        "one / two",
    ):
        assert shown in done.out, shown
    assert max(map(len, done.out.splitlines())) <= 120


def test_json_is_one_object_and_the_page_one_file(runs, tmp_path):
    output = tmp_path / "new" / "compare.html"
    done = compare(runs, "--json", f"--compare_output={output}")
    found = json.loads(done.out)
    assert done.code == 0 and list(found["runs"]) == ["one", "two"] and found["pairs"][0]["rows"] == 60
    assert "McNemar" in output.read_text(encoding="utf-8")
    assert [path.name for path in output.parent.iterdir()] == ["compare.html"]


def test_a_trained_workdir_and_a_copy_answer_alike(trained, copied):
    found = json.loads(compare([trained.workdir, copied.workdir], "--json").out)
    (pair,) = found["pairs"]
    assert (pair["rows"], pair["only_first"], pair["only_second"], pair["p_value"]) == (25, 0, 0, 1.0)
    assert found["flags"] == {} and found["warnings"] == []
    assert found["figures"]["copied"]["parameters"] > 0


def test_other_data_is_warned_of(runs):
    manifest = json.loads((runs[1] / "manifest.json").read_text())
    manifest["data"]["fingerprint"] = "sha256:other"
    (runs[1] / "manifest.json").write_text(json.dumps(manifest))
    done = compare(runs, "--json")
    assert done.code == 0 and done.err.startswith("warning: two was trained on other rows than one")
    assert json.loads(done.out)["warnings"]


@pytest.mark.parametrize(
    "given, said",
    [
        ("", "give two workdirs or more"),
        ("{0}", "give two workdirs or more"),
        ("{0},{0}/", "one workdir is there twice"),
        ("{0},{0}/missing", "missing: no such folder"),
        ("{0},{0}/export", "is no workdir: it has no flags.txt"),
    ],
)
def test_mistakes(runs, given, said):
    done = run_main("--mode=compare", f"--compare={given.format(*runs)}")
    assert done.code == 2 and said in done.error()


def test_where_nothing_was_trained(runs):
    (runs[1] / "results.json").unlink()
    assert "nothing was trained here to the end; run --mode=train first" in compare(runs).error()


def test_a_page_that_cannot_be_written(runs, tmp_path):
    assert "is a folder; give a file" in compare(runs, f"--compare_output={tmp_path}").error()


def test_it_needs_no_tensorflow(runs):
    script = (
        "import sys; from trainer import main; code = main.main(sys.argv[1:]); "
        "sys.exit(code or ('tensorflow' in sys.modules) * 77)"
    )
    command = [sys.executable, "-c", script, "--mode=compare", f"--compare={runs[0]},{runs[1]}"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120).returncode == 0
