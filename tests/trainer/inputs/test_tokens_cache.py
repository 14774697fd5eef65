"""Token ids are found again by what they depend on, or made anew; whatever happens to the folder, they are right."""

import dataclasses
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.commands import ROOT
from tests.tiny_encoders import VOCABULARY
from trainer.inputs import tokens_cache
from trainer.inputs.tokens import tokenize
from trainer.inputs.tokens_cache import TokensCache
from trainer.models.preprocessor import SpecialTokens, TextPreprocessor
from trainer.models.wordpiece import NormalizerSettings, WordPiece

TEXTS = ["the film is great", "", "a plot of life and films, never dull", "x\0x", "\ud800 film", "é" * 40]


def preprocessor(length=10, **settings):
    start, end, pad = map(VOCABULARY.index, ("[CLS]", "[SEP]", "[PAD]"))
    wordpiece = WordPiece(VOCABULARY, NormalizerSettings(**settings))
    return TextPreprocessor(wordpiece, SpecialTokens(start, (end,), end, pad), length, ())


@pytest.fixture
def cache(tmp_path):
    return TokensCache(tmp_path / "tokens", 64)


def same(found, expected):
    fields = [field.name for field in dataclasses.fields(expected) if field.name != "reused"]
    for name in fields:
        one, other = getattr(found, name), getattr(expected, name)
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype, name
    return True


def entries(cache):
    return sorted(path.name for path in cache.folder.iterdir())


@pytest.mark.parametrize("texts, pairs", [(TEXTS, None), (TEXTS, TEXTS[::-1]), (TEXTS[:1], None), ([], None)])
def test_what_is_found_is_what_was_made(cache, texts, pairs):
    expected = tokenize(preprocessor(), texts, pairs)
    made = tokenize(preprocessor(), texts, pairs, cache=cache)
    progress = []
    found = tokenize(preprocessor(), texts, pairs, cache=cache, progress=progress.append)
    assert same(made, expected) and not made.reused
    assert same(found, expected) and found.reused and progress == [] and len(entries(cache)) == 1
    rows = np.arange(len(texts))
    np.testing.assert_array_equal(found.padded(rows, 12, 7), expected.padded(rows, 12, 7))


def test_the_key_holds_all_that_ids_depend_on(cache, monkeypatch):
    plain = preprocessor()
    keys = [
        cache.key(plain, TEXTS),
        cache.key(plain, [*TEXTS[1:], TEXTS[0]]),
        cache.key(plain, TEXTS, [""] * 6),
        cache.key(plain, ["ab", "c"]),
        cache.key(plain, ["a", "bc"]),
        cache.key(plain, ["2:ab"]),
        cache.key(plain, ["a"], ["b"]),
        cache.key(plain, ["a", "b"]),
        cache.key(preprocessor(length=11), TEXTS),
        cache.key(preprocessor(lowercase=False), TEXTS),
    ]
    monkeypatch.setattr(tokens_cache.importlib.metadata, "version", lambda name: "9.9")
    keys.append(cache.key(plain, TEXTS))
    assert len(set(keys)) == len(keys)
    assert cache.key(preprocessor(), list(TEXTS)) == keys[-1]


def test_code_that_tokenizes_otherwise_finds_nothing(cache, tmp_path, monkeypatch):
    before = cache.key(preprocessor(), TEXTS)
    source = tmp_path / "wordpiece.py"
    module = sys.modules[WordPiece.__module__]
    source.write_text(open(module.__file__).read() + "\n# changed")
    monkeypatch.setattr(module, "__file__", str(source))
    assert cache.key(preprocessor(), TEXTS) != before


def spoil_bit(raw):
    raw[5] ^= 1


def spoil_footer(raw):
    raw[-8] ^= 1


SPOILT = {
    "a bit of the ids": spoil_bit,
    "the checksum": spoil_footer,
    "cut": lambda raw: raw.__delitem__(slice(-4, None)),
    "cut short": lambda raw: raw.__delitem__(slice(3, None)),
    "empty": lambda raw: raw.clear(),
    "longer": lambda raw: raw.extend(b"\0" * 8),
    "zeros, as a crash of the machine leaves them": lambda raw: raw.__setitem__(slice(None), bytes(len(raw))),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_file_is_made_anew(cache, name):
    expected = tokenize(preprocessor(), TEXTS)
    tokenize(preprocessor(), TEXTS, cache=cache)
    (path,) = cache.folder.iterdir()
    raw = bytearray(path.read_bytes())
    SPOILT[name](raw)
    path.write_bytes(raw)
    again = tokenize(preprocessor(), TEXTS, cache=cache)
    assert same(again, expected) and not again.reused
    assert tokenize(preprocessor(), TEXTS, cache=cache).reused


def test_those_go_that_were_not_used_for_longest(tmp_path):
    cache = TokensCache(tmp_path, 1)
    many = [[f"film {name} " + "great " * 6] * 12_000 for name in "abc"]  # about 0.6 MB each
    first, second = (tokenize(preprocessor(), texts, cache=cache) for texts in many[:2])
    assert len(entries(cache)) == 1  # the second is newer, and both are more than 1 MB
    assert same(first, tokenize(preprocessor(), many[0]))  # the file is gone, what was mapped is there
    cache.limit = 2 << 20
    tokenize(preprocessor(), many[0], cache=cache)
    assert tokenize(preprocessor(), many[1], cache=cache).reused
    tokenize(preprocessor(), many[0], cache=cache)  # now the second is the older one
    cache.limit = int(1.5 * (1 << 20))
    tokenize(preprocessor(), many[2], cache=cache)
    assert [cache.find(cache.key(preprocessor(), texts)) is not None for texts in many] == [True, False, True]
    assert len(second) == 12_000


def test_what_is_larger_than_the_limit_is_used_and_not_kept(tmp_path):
    cache = TokensCache(tmp_path, 0)
    assert same(tokenize(preprocessor(), TEXTS, cache=cache), tokenize(preprocessor(), TEXTS))
    assert entries(cache) == []


def test_a_folder_that_cannot_be_written_keeps_the_ids_in_memory(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    cache = TokensCache(tmp_path / "file" / "tokens", 64)
    assert same(tokenize(preprocessor(), TEXTS, cache=cache), tokenize(preprocessor(), TEXTS))
    assert capsys.readouterr().err == f"note: token ids are not kept in {cache.folder}: Not a directory\n"


def test_a_folder_that_others_fill_is_read_all_the_same(cache, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    tokenize(preprocessor(), TEXTS, cache=cache)
    monkeypatch.setattr(tokens_cache.os, "utime", refuse)
    assert tokenize(preprocessor(), TEXTS, cache=cache).reused


def test_a_full_disk_keeps_the_ids_in_memory_and_leaves_nothing(cache, capsys, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tokens_cache.os, "fsync", full)
    assert same(tokenize(preprocessor(), TEXTS, cache=cache), tokenize(preprocessor(), TEXTS))
    assert "No space left on device" in capsys.readouterr().err and entries(cache) == []


STOPS = """
import os, sys, time
from tests.trainer.inputs import test_tokens_cache as here
from trainer.inputs.tokens_cache import TokensCache
from trainer.inputs.tokens import tokenize
def stop(*_):
    print("here", flush=True)
    time.sleep(60)
folder, moment = sys.argv[1:]
if moment != "progress":
    setattr(os, moment, stop)
progress = stop if moment == "progress" else None
tokenize(here.preprocessor(), here.TEXTS * 1000, cache=TokensCache(folder, 64), progress=progress)
"""
MOMENTS = ["progress", *(pytest.param(moment, marks=pytest.mark.slow) for moment in ("fsync", "replace"))]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_killed_while_it_writes_leaves_nothing_that_is_read(cache, moment):
    command = [sys.executable, "-c", STOPS, str(cache.folder), moment]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "here\n"
        os.kill(process.pid, signal.SIGKILL)
    (partial,) = cache.folder.iterdir()
    assert process.returncode == -signal.SIGKILL and partial.name.startswith(".")
    texts = TEXTS * 1000
    again = tokenize(preprocessor(), texts, cache=cache)
    assert not again.reused and same(again, tokenize(preprocessor(), texts))
    assert tokenize(preprocessor(), texts, cache=cache).reused and len(entries(cache)) == 2
    past = time.time() - 2 * tokens_cache._ABANDONED_SECONDS
    os.utime(partial, (past, past))
    tokenize(preprocessor(), TEXTS, cache=cache)
    assert not partial.exists() and len(entries(cache)) == 2
