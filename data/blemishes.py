"""What can be wrong inside one text, and the repair of each: the doctor looks for it, `data.clean` mends it."""

import html
import html.entities
import re

UNDECODED = re.compile("[\udc80-\udcff]")  # a byte that is no UTF-8, as a tolerant reader lets it through
REPLACEMENT = "\ufffd"  # what stands where somebody before us could not decode a byte
# Names of HTML, so that <3, <unk> and <your name> stay text.
_TAGS = (
    "a abbr article b big blockquote body br button center code dd del div dl dt em embed font footer form h1 h2 h3 h4 "
    "h5 h6 head header hr html i iframe img input label li link main meta nav ol option p pre s script section select "
    "small span strike strong style sub sup svg table tbody td textarea tfoot th thead title tr tt u ul video"
)
_TAG = re.compile(rf"<(?:/?(?:{'|'.join(_TAGS.split())})(?:\s[^<>]*)?/?|!--.*?--|!doctype[^<>]*)>", re.I | re.S)
_INLINE = re.compile(r"</?(?:a|abbr|b|big|code|del|em|font|i|s|small|span|strike|strong|sub|sup|tt|u)\b", re.I)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|([A-Za-z][A-Za-z0-9]{1,31}));")
# Controls but tab and line ends; and characters that show nothing: zero-width, byte order mark, text direction.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


def has_undecoded(text):
    return not text.isascii() and UNDECODED.search(text) is not None


def has_replacement(text):
    return REPLACEMENT in text


def has_mojibake(text):
    """Whether UTF-8 was read as another encoding before it was written: `schÃ¶n`."""
    return not text.isascii() and not has_undecoded(text) and mend_mojibake(text) != text


def has_tags(text):
    return "<" in text and _TAG.search(text) is not None


def has_entities(text):
    return "&" in text and any(_known(match) for match in _ENTITY.finditer(text))


def has_control(text):
    return not text.isprintable() and _CONTROL.search(text) is not None


def mend_mojibake(text):
    """The text as it was before it was read in the wrong encoding; ftfy only changes what it is sure of."""
    import ftfy

    return ftfy.fix_encoding(text)


def mend_undecoded(text, encoding="cp1252"):
    """Undecodable bytes read as `encoding`; what means nothing in it stays as it is.

    In cp1252 a byte is a character, whatever stands beside it, so that the bad bytes alone are read anew; in any other
    encoding characters span bytes, and the whole text is, where that is possible.
    """
    if not has_undecoded(text):
        return text
    if encoding != "cp1252":
        try:
            return text.encode("utf-8", "surrogateescape").decode(encoding)
        except UnicodeDecodeError:
            pass
    return re.sub(f"{UNDECODED.pattern}+", lambda run: _decoded(run[0], encoding), text)


def mend_html(text):
    """The text without tags and comments, entities as the characters they name; a block's tag becomes a space."""
    text = _TAG.sub(lambda tag: "" if _INLINE.match(tag[0]) else " ", text)
    return _ENTITY.sub(lambda match: html.unescape(match[0]) if _known(match) else match[0], text)


def mend_control(text):
    """The text without control and invisible characters."""
    return _CONTROL.sub("", text)


def mend_whitespace(text):
    """Every run of white space as one space, none at the ends."""
    return " ".join(text.split())


def _known(entity):
    return entity[1] is None or entity[1] + ";" in html.entities.html5


def _decoded(run, encoding):
    try:
        return run.encode("ascii", "surrogateescape").decode(encoding)
    except UnicodeDecodeError:
        return run
