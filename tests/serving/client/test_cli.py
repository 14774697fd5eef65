"""python -m serving.client: what it prints and how it exits."""

import io
import json
import os
import re
import subprocess
import sys

import pytest

from serving.client import cli

from .fake_server import CONTRACT, pair_contract


@pytest.fixture
def ask(server, capsys):
    """Runs main() against the fake server; returns (exit code, stdout, stderr)."""

    def run(*args, target=server.address, model="reviews"):
        code = cli.main([f"--target={target}", f"--model={model}", *args])
        out, err = capsys.readouterr()
        assert err.count("\n") <= 1 and (code == 0) == (err == "")
        return code, out, err

    return run


def test_a_table_of_answers(ask):
    code, out, _ = ask("0.25 of a film", "0.75 电影")
    assert code == 0
    assert out.splitlines() == [
        "text            label     score   probabilities                     truncated  abstain",
        "0.25 of a film  negative  0.7500  negative 0.7500  positive 0.2500  no         no",
        "0.75 电影       positive  0.7500  positive 0.7500  negative 0.2500  no         no",
    ]


def test_an_answer_that_abstains_is_not_taken_for_one(ask, server):
    server.abstains_below = 0.7
    _, out, _ = ask("0.6 of a film", "0.75 电影")
    assert [re.split("  +", line)[1] for line in out.splitlines()[1:]] == ["(abstains) positive", "positive"]
    rows = json.loads(ask("--json", "0.6 of a film", "0.75 电影")[1])["results"]
    assert [(row["label"], row["abstain"]) for row in rows] == [("positive", True), ("positive", False)]


def test_one_json_object(ask, server):
    _, out, _ = ask("--json", "0.25 电影")
    assert json.loads(out) == {
        "target": server.address,
        "model": "reviews",
        "results": [
            {
                "text": "0.25 电影",
                "label": "negative",
                "score": 0.75,
                "probabilities": {"negative": 0.75, "positive": 0.25},
                "truncated": False,
                "abstain": False,
            }
        ],
    }


def test_control_characters_never_reach_the_terminal(ask):
    _, out, _ = ask("a\x1b[31m\r\t\u202e\ud800" + "电" * 50)
    assert "a\\x1b[31m\\r\\t\\u202e\ufffd电电" in out and "…  positive" in out or "…  negative" in out
    assert set(out) & set("\x1b\r\t\u202e\ud800") == set()


def test_texts_from_stdin_one_per_line(ask, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("0.1 电影\r\n\n0.3".encode())))
    _, out, _ = ask("--json", "-")
    assert [row["text"] for row in json.loads(out)["results"]] == ["0.1 电影", "", "0.3"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"good\n\xb5\xe7\n")))
    assert ask("-")[::2] == (2, "error: stdin:2 is not UTF-8; convert it first, for example with iconv\n")


def test_no_lines_on_stdin_are_no_answers(ask, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    assert json.loads(ask("--json", "-")[1])["results"] == []


def test_text_pairs(ask, server):
    server.contract = pair_contract()
    _, out, _ = ask("--json", "a", "b", "--text_pair=0.25", "--text_pair=0.75")
    assert [(row["text_pair"], row["label"]) for row in json.loads(out)["results"]] == [
        ("0.25", "negative"),
        ("0.75", "positive"),
    ]
    assert ask("a")[0] == 2
    assert "2 texts but 1 text_pairs" in ask("a", "b", "--text_pair=c")[2]


def test_another_signature(ask):
    assert json.loads(ask("--json", "--signature=embed", "abc")[1])["results"] == [{"text": "abc", "embedding": [3, 1]}]
    assert ask("--signature=embed", "abc")[1].splitlines() == ["text  embedding", "abc   [3.0000 1.0000]"]


def test_status_contract_and_ready(ask, server):
    server.states = {7: "AVAILABLE", 6: "END"}
    assert ask("--status")[1].splitlines() == [
        "version  state      error",
        "7        AVAILABLE",
        "6        END        out of memory",
    ]
    assert json.loads(ask("--status", "--json")[1])["versions"][0] == {"version": 7, "state": "AVAILABLE", "error": ""}
    assert json.loads(ask("--contract")[1]) == CONTRACT
    assert ask("--ready")[1] == "ready\n"
    assert json.loads(ask("--ready", "--json", "--version=7")[1])["ready"] is True
    server.states = {7: "LOADING"}
    code, out, err = ask("--ready", "--deadline=0.1")
    assert (code, out) == (4, "") and "is not ready after 0.1 s" in err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--modle=x", "a"], "unrecognized arguments: --modle=x; did you mean --model?"),
        (["--sign=embed", "a"], "did you mean --signature?"),
        ([], "no text given"),
        (["--status", "a"], "take no TEXT"),
        (["--version=x", "a"], "invalid int value"),
        (["--version=1", "--label=stable", "a"], "not allowed with"),
        (["--deadline=0", "a"], "deadline must be a positive number"),
        (["--target=nowhere", "a"], "has no port"),
        (["--signature=nosuch", "a"], "no signature 'nosuch'; it has"),
        (["--model=nosuch", "a"], "NOT_FOUND"),
        (["--version=3", "a"], "NOT_FOUND"),
    ],
)
def test_the_users_mistakes_are_one_line_and_2(ask, args, message):
    code, out, err = ask(*args)
    assert (code, out) == (2, "") and err.startswith("error: ") and message in err


def test_several_targets_and_what_was_asked_of_them(server, capsys):
    flags = [f"--target=127.0.0.1:9,{server.address}", "--model=reviews", "--stats", "--json"]
    assert cli.main([*flags, "0.25", "0.75"]) == 0
    out, err = capsys.readouterr()
    assert [row["label"] for row in json.loads(out)["results"]] == ["negative", "positive"]
    assert re.search(r"Predict +serving_default +OK +1 +[\d.]+ ms\n", err)
    assert re.search(r"retries \d+  failovers \d+  halvings 0\n", err)
    assert cli.main(["--target=127.0.0.1:9", *flags[1:], "a"]) == 4
    assert "UNAVAILABLE" in capsys.readouterr().err.splitlines()[1]


def test_a_token_of_a_file(ask, server, tmp_path):
    file = tmp_path / "token"
    file.write_text("s3cr3t\n")
    assert ask(f"--token_file={file}", "0.25")[0] == 0 and server.tokens == ["Bearer s3cr3t"] * 2
    code, _, err = ask(f"--token_file={file}", "a", target="models.example:8500")
    assert code == 2 and "in clear; give tls=True" in err and "s3cr3t" not in err
    assert "cannot be read: No such file" in ask(f"--token_file={tmp_path / 'none'}", "a")[2]
    file.write_bytes(b"\xff")
    assert "cannot be read: not UTF-8" in ask(f"--token_file={file}", "a")[2]


def test_a_model_without_contract(ask, server):
    server.contract = None
    assert "has no contract signature" in ask("--contract")[2]


def test_no_server_is_one_line_and_4(ask):
    code, out, err = ask("a", target="127.0.0.1:9")
    assert (code, out) == (4, "") and err.startswith("error: model 'reviews' at 127.0.0.1:9: UNAVAILABLE")


def test_an_interrupt_is_130(ask, monkeypatch):
    monkeypatch.setattr(cli, "_run", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert cli.main(["--model=reviews", "a"]) == 130


def test_as_a_command_in_any_locale(server):
    command = [sys.executable, "-m", "serving.client", f"--target={server.address}", "--model=reviews"]
    environment = os.environ | {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "ascii",
    }
    done = subprocess.run([*command, "--json", "-"], input="0.25 电影".encode(), capture_output=True, env=environment)
    assert json.loads(done.stdout)["results"][0]["text"] == "0.25 电影"
    done = subprocess.run([*command[:-1]], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: the following arguments are required: --model; see --help\n"
    assert subprocess.run([*command, "--help"], capture_output=True).returncode == 0
