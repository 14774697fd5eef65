"""Texts of many scripts, drawn from a fixed seed: what one character is differs in each of them."""

import random

PARTS = [
    *("Angela", "Merkel's", "film-maker", "U.S.A.", "heard", "of", "x" * 101, "ﬀ", "straße", "İstanbul", "ΣΑΣ", "Ǆ"),
    *("中国", "北京市", "𠮷野家", "東京タワー", "がぎ", "か\u3099", "ｶﾞ", "ＡＢＣ１２３", "，", "。", "《", "\u3000"),
    *("한국어", "\u1112\u1161\u11ab", "각\u0323", "हिन्दी", "ไทยที่", "שָׁלוֹם", "مُحَمَّد", "ᬓ᭄ᬓᬾ", "Tiếng Việt"),
    *("e\u0301", "a\u0323\u0307\u0301", "\u0301", "o\u0308\u20dd", "Å", "\u212b", "\u1112", "≮", "\u1fef"),
    *("\U0001f600", "❤\ufe0f", "1\ufe0f\u20e3", "\U0001f1e9\U0001f1ea", "\U0001f44b\U0001f3fd"),
    *("\U0001f937\u200d♀\ufe0f", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f3f4\U000e0067\U000e007f"),
    *(" ", " ", " ", "  ", "\t", "\n", "\u00a0", "\u2028", "\x0b"),
    *("\x00", "\u00ad", "\u200b", "\u202e", "\ufeff", "\ufffd"),
    *(".", ",", "!", "(", "-", "$", "'", "…", "\U0001d15f", "\U0001d165\U0001d16d", "\U0001d16d\U0001d165", "\u302e"),
]


def mixed_texts(count, seed=0):
    """`count` texts of up to 24 parts; every tenth part is any one character of Unicode."""
    draw = random.Random(seed)
    return ["".join(_part(draw) for _ in range(draw.randrange(25))) for _ in range(count)]


def _part(draw):
    if draw.random() < 0.1:
        code = draw.randrange(0x110000)
        return "?" if 0xD800 <= code < 0xE000 else chr(code)
    return draw.choice(PARTS)
