"""No label is drawn as empty boxes: a font that has its characters, or its number."""

import pytest
from matplotlib import font_manager

from trainer.report import fonts


def test_latin_needs_no_other_font():
    assert fonts.families(["positive", "Größe"]) == [fonts.DEFAULT]
    assert fonts.drawn(["a", "b\nc"]) == (["a", "b c"], [fonts.DEFAULT])


def test_characters_of_no_font_become_numbers():
    nobody = "\U0010fffd"  # private use
    assert fonts.families(["a", nobody]) is None
    assert fonts.drawn(["a", nobody]) == (["1", "2"], [fonts.DEFAULT])


def test_chinese_takes_an_installed_font_or_numbers():
    found = fonts.families(["中国", "体育 a"])
    names, families = fonts.drawn(["中国", "体育 a"])
    if found is None:
        assert names == ["1", "2"]
        return
    assert names == ["中国", "体育 a"] and families[0] == fonts.DEFAULT and len(families) == 2
    path = font_manager.findfont(families[1], fallback_to_default=False)
    assert all(font_manager.get_font(path).get_char_index(ord(character)) for character in "中国体育")


def test_a_font_installed_since_the_list_was_made_is_found(monkeypatch):
    fonts._families.cache_clear()
    path, listed = font_manager.findfont("DejaVu Sans Mono"), font_manager.fontManager.ttflist
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [font for font in listed if font.fname != path])
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [path])
    monkeypatch.setattr(fonts, "_missing", lambda at, characters: frozenset() if at == path else characters)
    assert fonts.families(["x"]) == [fonts.DEFAULT, "DejaVu Sans Mono"]
    fonts._families.cache_clear()


@pytest.mark.parametrize("text, shown", [("a  b\n c", "a b c"), ("x" * 30, "x" * 7 + "…"), ("x" * 8, "x" * 8)])
def test_long_labels_are_cut(text, shown):
    assert fonts.shortened(text, 8) == shown
