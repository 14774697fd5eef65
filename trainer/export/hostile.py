"""Texts that break tokenizers: the list in hostile.jsonl, and two too long to write down.

hostile.jsonl holds one JSON string a line, in ASCII. A byte that is not UTF-8 stands there as its `surrogateescape`
character (`"\\udcff"` is the byte 0xFF), so that every line is a string and every sequence of bytes can be said.
"""

import json
import pathlib

from trainer.models.preprocessor import TEXT_BYTES

_LIST = pathlib.Path(__file__).with_name("hostile.jsonl")


def hostile_texts():
    """Every hostile text of the list as bytes; some are not UTF-8."""
    lines = _LIST.read_text("ascii").splitlines()
    return [json.loads(line).encode("utf-8", "surrogateescape") for line in lines]


def oversized_texts():
    """Texts beyond the limit of text bytes: one is cut inside a character, of the other only blanks are left."""
    pairs = "é ".encode() * (TEXT_BYTES // 3 + 1)
    return [pairs, b" " * TEXT_BYTES + b"cut off"]
