"""How long texts are, and how many reach beyond what is read of them."""

import array
import pathlib
import re

import numpy as np

from data.doctor.findings import NOTE, WARNING, Tally
from trainer.config import CARRIED, UserError, carried_path

PERCENTILES = (50, 90, 95, 99, 100)
MANY = 0.05  # a larger share of cut texts is worth a longer --sequence_length
SPECIAL = 2  # tokens that frame a text
_FAR = 1 << 20  # tokens: no text is cut before it is counted
# An ideograph or a kana is a word of its own, as encoders cut them.
_WORD = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\\s\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)


class Lengths:
    """Characters, words and, with an encoder, tokens of every row.

    Args:
        limit: int, tokens that are read of a row. named: what a finding calls it, as "--sequence_length=128".
        count_tokens: callable (texts, pairs) → `<int>[rows]`; None where there is no encoder. A word is one token at
            least: more words than the limit leaves room for are cut for certain, and the finding says "at least".
    """

    def __init__(self, limit, named, count_tokens=None):
        self.limit, self.named, self.count_tokens = limit, named, count_tokens
        self.characters, self.units, self.cut = array.array("i"), array.array("i"), Tally()

    def see(self, chunk, source):
        pairs = chunk.pairs or [""] * len(chunk)
        self.characters.extend([len(a) + len(b) for a, b in zip(chunk.texts, pairs, strict=True)])
        if self.count_tokens:
            units = self.count_tokens(chunk.texts, chunk.pairs)
            most = self.limit
        else:
            units = [words(a) + words(b) for a, b in zip(chunk.texts, pairs, strict=True)]
            most = self.limit - SPECIAL - bool(chunk.pairs)
        self.units.extend(units)
        for row in np.flatnonzero(np.asarray(units) > most):
            self.cut.add(chunk.where(row), chunk.texts[row])

    def findings(self):
        severity = WARNING if self.cut.count > MANY * len(self.units) else NOTE
        at_least = "" if self.count_tokens else "at least "
        share = self.cut.count / max(1, len(self.units))
        message = f"{at_least}{{}} texts ({share:.1%}) are longer than {self.named} and will be cut"
        return self.cut.found("truncated", severity, message)

    def to_dict(self):
        """{"unit", "limit", "p50", …, "max", "truncated", "truncated_share", "characters": {…}, "histogram": {…}}."""
        units, characters = np.frombuffer(self.units, np.int32), np.frombuffer(self.characters, np.int32)
        return {
            "unit": "tokens" if self.count_tokens else "words",
            "limit": self.limit,
            **_percentiles(units),
            "truncated": self.cut.count,
            "truncated_share": self.cut.count / max(1, len(units)),
            "characters": _percentiles(characters),
            "histogram": _histogram(units),
        }


def words(text):
    """Words of a text; every ideograph is one."""
    return len(text.split()) if text.isascii() else len(_WORD.findall(text))


def token_counter(encoder, cache):
    """Callable (texts, pairs) → `<int64>[rows]`, tokens as training counts them; None without an encoder.

    `encoder`: a local folder or pip:NAME. Raises UserError where there is none.
    """
    if not encoder:
        return None
    folder = carried_path(encoder, cache) if encoder.startswith(CARRIED) else pathlib.Path(encoder)
    if not (folder / "config.json").is_file():
        advice = "run: python -m data.fetch" if encoder.startswith(CARRIED) else "give a local folder or pip:NAME"
        raise UserError(f"--encoder={encoder}: no encoder in {folder}; {advice}, or leave it out to count words")
    from trainer.inputs.tokens import tokenize
    from trainer.models import tokenizers
    from trainer.models.preprocessor import TextPreprocessor

    try:
        tokenizer, special = tokenizers.load(str(folder), folder)
    except Exception as error:  # whatever a broken folder makes KerasHub say
        raise UserError(f"--encoder={encoder}: its tokenizer could not be loaded: {error}") from error
    preprocessor = TextPreprocessor(tokenizer, special, _FAR, ("token_ids", "padding_mask"))
    return lambda texts, pairs: tokenize(preprocessor, texts, pairs).lengths


def _percentiles(lengths):
    if not len(lengths):
        return {}
    values = np.percentile(lengths, PERCENTILES, method="inverted_cdf")
    return {"max" if p == 100 else f"p{p}": int(value) for p, value in zip(PERCENTILES, values, strict=True)}


def _histogram(lengths):
    """{"edges": [n + 1], "counts": [n]} up to the 99.5th percentile, the rest in the last bin."""
    if not len(lengths):
        return {"edges": [], "counts": []}
    width = (
        int(np.percentile(lengths, 99.5)) // 30 + 1
    )  # whole numbers: else some bars hold one length more than others
    bins = int(np.percentile(lengths, 99.5)) // width + 1
    counts, edges = np.histogram(np.minimum(lengths, bins * width - 1), bins=bins, range=(0, bins * width))
    return {"edges": [float(edge) for edge in edges], "counts": counts.tolist()}
