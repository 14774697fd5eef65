"""What masking must know of a vocabulary: which tokens open a word, and which of them are text at all."""

import dataclasses
import re

import numpy as np

_SPECIAL = re.compile(r"\[(PAD|UNK|CLS|SEP|MASK|unused\d+)\]")
_OPENING = ("Ġ", "▁")  # the space before a word, in byte-pair and in SentencePiece vocabularies


@dataclasses.dataclass(frozen=True)
class MaskTokens:
    """mask: id of the token that stands for a masked one. begins, text: `<bool>[tokens]`, whether a token opens a word
    wherever it stands, and whether it is part of texts, as special tokens and the unknown one are not."""

    mask: int
    begins: np.ndarray
    text: np.ndarray


def mask_tokens(preprocessor):
    """The MaskTokens of a TextPreprocessor. Raises ValueError for a vocabulary without a mask token."""
    tokenizer, special = preprocessor.tokenizer, preprocessor.special
    if hasattr(tokenizer, "vocabulary"):
        return _of_wordpieces(tokenizer)
    framing = {special.start, special.end, special.pad, *special.separator}
    return _of_hub(tokenizer.hub, framing)


def _of_wordpieces(tokenizer):
    begins = np.array([not token.startswith("##") for token in tokenizer.vocabulary])
    text = np.array([_SPECIAL.fullmatch(token) is None for token in tokenizer.vocabulary])
    return MaskTokens(tokenizer.token_id("[MASK]"), begins, text)


def _of_hub(hub, framing):
    mask = getattr(hub, "mask_token_id", None)
    if mask is None:
        raise ValueError("the vocabulary has no mask token")
    tokens = [str(hub.id_to_token(number)) for number in range(hub.vocabulary_size())]
    unknown = [number for number, token in enumerate(tokens) if token in ("<unk>", "<pad>", "[UNK]")]
    text = np.ones(len(tokens), bool)
    text[[*framing, *unknown, int(mask)]] = False
    return MaskTokens(int(mask), np.array([token.startswith(_OPENING) for token in tokens]), text)
