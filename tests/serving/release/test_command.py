import json
import os
import random
import shutil
import subprocess
import sys
import time

import pytest

from serving import contract
from tests.serving.tiny_version import fake_version

COMMAND = [sys.executable, "-m", "serving.release"]


CONFIG = ["--model_config_file={base}/models.config"]


def release(*arguments):
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_publish_and_list_speak_json(tmp_path):
    source, base = fake_version(tmp_path / "a"), tmp_path / "reviews"
    done = release("publish", f"--source={source}", f"--model_base_path={base}", "--json")
    assert done.returncode == 0 and done.stderr == ""
    assert json.loads(done.stdout)["version"] == 1
    listed = json.loads(release("list", f"--model_base_path={base}", "--json").stdout)
    assert [row["version"] for row in listed["versions"]] == [1]


def test_help_succeeds_without_tensorflow():
    shown = release("--help")
    assert shown.returncode == 0 and "--model_base_path" in shown.stdout
    watched = "import sys, serving.release.publish; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", watched], timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "subcommand is missing; allowed: publish, list, rollback, label, gc"),
        (["publsh"], 2, "did you mean publish?"),
        (["publish", "--model_base_path={base}"], 2, "--source is missing"),
        (["publish", "--source={base}/none", "--model_base_path={base}"], 2, "no such folder"),
        (["publish", "--source={base}", "--model_base_path={base}"], 2, "trainer.main --mode=export"),
        (["publish", "--source={file}", "--model_base_path={base}"], 2, "a file"),
        (["publish", "--source={version}"], 2, "--model_base_path is missing"),
        (["publish", "--source={version}", "--model_base_path={file}"], 2, "is a file"),
        (["publish", "--source={version}", "--model_base_path={version}"], 2, "itself a version"),
        (["publish", "--source={version}", "--model_base_path={base}", "--version=0"], 2, "version"),
        (["publish", "--source={version}", "--model_base_path={base}", "--raeson=x"], 2, "Did you mean: reason?"),
        (["publish", "--source={unproven}", "--model_base_path={base}"], 3, "proof.json"),
        (["list", "--model_base_path={base}", "--source={version}"], 2, "list takes no --source"),
        (["list", "--model_base_path={base}/none"], 2, "no such folder; publish a version there first"),
        (["list", "--model_base_path={publishd}"], 2, "no such folder; did you mean {published}?"),
        (["publish", "--source={version}", "--keep=2"], 2, "publish takes no --keep; it belongs to gc"),
        (["rollback", "--model_base_path={base}/none"], 2, "no such folder"),
        (
            ["rollback", "--model_base_path={base}"],
            2,
            "holds no version; publish one there first",
        ),
        (["rollback", "--model_base_path={base}", "--version=3"], 2, "holds no version; publish one there first"),
        (["label", "--model_base_path={published}", "--label=stable"], 2, "--model_config_file is missing; give both"),
        (["label", "--model_base_path={published}", "--version=1", *CONFIG], 2, "--label is missing; give both"),
        (
            ["label", "--model_base_path={published}", "--label=a", *CONFIG],
            2,
            "a was never moved here; there",
        ),
        (
            ["label", "--model_base_path={published}", "--label=a", "--version=9", *CONFIG],
            2,
            "9 is not there; there",
        ),
        (["label", "--model_base_path={base}/none", "--label=a", "--version=1", *CONFIG], 2, "no such folder"),
        (["label", "--model_base_path={base}/none", "--label=a", *CONFIG], 2, "no such folder"),
        (["gc", "--model_base_path={base}/none"], 2, "no such folder"),
        (["gc", "--model_base_path={base}", "--keep=0"], 2, "keep"),
        (["gc", "--model_base_path={base}", "--keep=2", "--version=1"], 2, "--keep and --version: give one of them"),
        (["gc", "--model_base_path={base}", "--version=1"], 2, "holds no version; publish one there first"),
        (
            ["gc", "--model_base_path={published}", "--model_config_file={base}/none"],
            2,
            "No such file or directory; give a",
        ),
        (["gc", "--model_base_path={published}", "--model_config_file={broken}"], 2, "broken:2: not a models.config: "),
    ],
)
def test_mistakes_are_one_line(tmp_path, arguments, code, said):
    places = {"base": tmp_path / "base", "file": tmp_path / "file", "version": fake_version(tmp_path / "version")}
    places["unproven"], places["broken"] = fake_version(tmp_path / "unproven"), tmp_path / "broken"
    places["published"], places["publishd"] = tmp_path / "published", tmp_path / "publishd"
    shutil.copytree(places["version"], places["published"] / "1")
    places["broken"].write_text("model_config_list {\n  config { nam: 'x' } }\n")
    (places["unproven"] / "proof.json").unlink()
    places["base"].mkdir()
    places["file"].write_text("")
    failed = release(*(argument.format(**places) for argument in arguments))
    assert failed.returncode == code
    assert failed.stdout == "" and failed.stderr.startswith("error: ") and failed.stderr.count("\n") == 1
    assert said.format(**places) in failed.stderr
    assert [name for name in os.listdir(places["base"]) if not name.startswith(".slipway_lock")] == []


def test_killed_at_any_moment_shows_no_half_version_and_then_finishes(tmp_path):
    source, base = fake_version(tmp_path / "a", os.urandom(48 << 20)), tmp_path / "reviews"
    command = [*COMMAND, "publish", f"--source={source}", f"--model_base_path={base}"]
    started = time.monotonic()
    subprocess.run(
        [*command[:-1], f"--model_base_path={tmp_path / 'timed'}"], check=True, capture_output=True, timeout=60
    )
    whole = time.monotonic() - started
    chance = random.Random(7)
    for moment in range(5):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + whole * (moment + chance.random()) / 5
        while child.poll() is None and time.monotonic() < until:
            assert_only_whole_versions(base)
        child.kill()
        child.wait()
        assert_only_whole_versions(base)
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert "version 1 at" in done.stdout
    assert [name for name in os.listdir(base) if name.startswith(".staging")] == []
    assert_only_whole_versions(base)
    contract.check_proven(base / "1")


def assert_only_whole_versions(base):
    """As a server sees the folder: every number there has all its files, with their full sizes."""
    for name in os.listdir(base) if base.exists() else []:
        if name.isdigit():
            files = json.loads((base / name / "proof.json").read_text())["files"]
            assert all((base / name / path).exists() for path in files)
            assert (base / name / "saved_model.pb").stat().st_size == 48 << 20


def test_two_publishers_at_once(tmp_path):
    base = tmp_path / "reviews"
    children = []
    for name in ("a", "b"):
        source = fake_version(tmp_path / name, os.urandom(8 << 20))
        command = [*COMMAND, "publish", f"--source={source}", f"--model_base_path={base}", "--json"]
        children.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    answers = [child.communicate(timeout=60)[0] for child in children]
    assert sorted(json.loads(answer)["version"] for answer in answers) == [1, 2]
    assert sorted(name for name in os.listdir(base) if name.isdigit()) == ["1", "2"]


def test_a_real_full_disk_is_one_line(tmp_path):
    source, base = fake_version(tmp_path / "a", os.urandom(4 << 20)), tmp_path / "reviews"
    # A limit on file sizes fails a write as a full disk does, and needs no disk of its own.
    limited = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20));"
    limited += "sys.argv[0] = 'release'; runpy.run_module('serving.release', run_name='__main__', alter_sys=True)"
    failed = subprocess.run(
        [sys.executable, "-c", limited, "publish", f"--source={source}", f"--model_base_path={base}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert failed.returncode == 5 and failed.stderr.startswith("error: ") and failed.stderr.count("\n") == 1
    assert sorted(os.listdir(base)) == [".slipway_lock"]
