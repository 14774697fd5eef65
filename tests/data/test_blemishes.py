import pytest

from data import blemishes


@pytest.mark.parametrize(
    "text, mended",
    [
        ("a<br>b", "a b"),
        ("<p class='x'>a <b>b</b></p>", " a b "),
        ("a &amp; b &#39;c&#x27; &nbsp;d", "a & b 'c' \xa0d"),
        ("<!-- gone -->a", " a"),
    ],
)
def test_html_is_found_and_mended(text, mended):
    assert blemishes.has_tags(text) or blemishes.has_entities(text)
    assert blemishes.mend_html(text) == mended


@pytest.mark.parametrize(
    "text", ["I <3 you", "<unk> and <your name>", "a < b > c", "AT&T; R&D", "&notanentity;", "x<y"]
)
def test_not_html(text):
    assert not blemishes.has_tags(text) and not blemishes.has_entities(text) and blemishes.mend_html(text) == text


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\u200bb", "a\ufeffb", "a\u202eb", "a\x85b"])
def test_control_characters(text):
    assert blemishes.has_control(text) and blemishes.mend_control(text) == "ab"


@pytest.mark.parametrize("text", ["a\tb\nc\r\n", "नमस्ते\u200d", "👨\u200d👩", "a\xa0b"])
def test_not_control_characters(text):
    assert not blemishes.has_control(text) and blemishes.mend_control(text) == text


def test_mojibake():
    assert blemishes.has_mojibake("fÃ¼r schÃ¶n") and blemishes.mend_mojibake("fÃ¼r schÃ¶n") == "für schön"
    assert not any(map(blemishes.has_mojibake, ["für schön", "中文没有问题", "naïve café", "caf\udce9", "ascii"]))


@pytest.mark.parametrize(
    "raw, encoding, mended",
    [
        (b"caf\xe9", "cp1252", "café"),
        (b"\x93a\x94 \xc3\xa9 \xe9", "cp1252", "“a” é é"),
        ("中文好".encode("gb18030"), "gb18030", "中文好"),
        (b"\x81", "cp1252", "\udc81"),
    ],
)
def test_bytes_that_are_no_utf8(raw, encoding, mended):
    text = raw.decode("utf-8", "surrogateescape")
    assert blemishes.has_undecoded(text) and blemishes.mend_undecoded(text, encoding) == mended
