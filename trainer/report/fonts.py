"""Fonts for labels of any script: matplotlib's own has no Chinese, Japanese or Korean."""

import contextlib
import functools
import itertools

from matplotlib import font_manager

DEFAULT = "DejaVu Sans"  # comes with matplotlib
_PREFERRED = (
    "Noto Sans CJK SC",
    "Noto Sans",
    "Source Han Sans",
    "PingFang",
    "Microsoft YaHei",
    "Hiragino Sans",
    "WenQuanYi",
    "SimHei",
)


def families(texts):
    """Names of installed fonts that together show every character of `texts`, or None where some has no font."""
    return _families(frozenset(character for text in texts for character in text if not character.isspace()))


def drawn(labels, longest=24):
    """(names to draw, font families) of labels: shortened, or their numbers from 1 where no font shows them all."""
    found = families(labels)
    if found is None:
        return [str(number) for number in range(1, len(labels) + 1)], [DEFAULT]
    return [shortened(label, longest) for label in labels], found


def shortened(text, longest):
    """A text on one line, its end cut off where it is longer than `longest` characters."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


@functools.lru_cache(maxsize=64)
def _families(characters):
    found, missing = [DEFAULT], _missing(font_manager.findfont(DEFAULT), characters)
    for entry in itertools.chain(_upright(_listed()), _unlisted()) if missing else ():
        left = _missing(entry.fname, missing)
        if left < missing:
            found, missing = [*found, entry.name], left
        if not missing:
            break
    return None if missing else found


def _listed():
    return list(font_manager.fontManager.ttflist)


def _unlisted():
    """Fonts that were installed after matplotlib made its list, which it never renews by itself."""
    before = {entry.fname for entry in _listed()}
    for path in set(font_manager.findSystemFonts()) - before:
        with contextlib.suppress(OSError, RuntimeError):
            font_manager.fontManager.addfont(path)
    return _upright(entry for entry in _listed() if entry.fname not in before)


def _upright(entries):
    """Fonts of normal weight and style, those made for reading labels first."""

    def rank(entry):
        places = [place for place, name in enumerate(_PREFERRED) if entry.name.startswith(name)]
        return (places or [len(_PREFERRED)])[0], entry.name, entry.fname

    fonts = (entry for entry in entries if entry.style == "normal" and entry.weight in (400, "normal"))
    return sorted((font for font in fonts if "Last Resort" not in font.name), key=rank)


def _missing(path, characters):
    try:
        font = font_manager.get_font(path)
    except (OSError, RuntimeError):  # uninstalled since matplotlib listed it, or broken
        return characters
    return frozenset(character for character in characters if not font.get_char_index(ord(character)))
