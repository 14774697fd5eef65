"""What a check found: how bad, how often, where, and some of it to look at."""

import dataclasses

from data.doctor import personal

ERROR, WARNING, NOTE = SEVERITIES = ("error", "warning", "note")  # an error would spoil a run: exit code 1
EXAMPLES = 100  # kept per finding; counts go on
_SHOWN, _LOOKED_AT = 160, 2000  # characters of a text that an example shows, and among which personal data is sought
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclasses.dataclass(frozen=True)
class Finding:
    """`check`: its name, the same in every run; `count`: of rows (or files, or labels), exact."""

    check: str
    severity: str
    count: int
    message: str
    examples: tuple = ()

    def to_dict(self):
        return dataclasses.asdict(self) | {"examples": list(self.examples)}


class Tally:
    """Counts rows and keeps the first of them as examples."""

    def __init__(self):
        self.count, self.examples = 0, []

    def add(self, where, text, same_as=None):
        """Counts a row; `where`: its `file:line`, `same_as`: that of the row it is compared with."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(example(where, text, same_as))

    def found(self, check, severity, message):
        """[Finding], or [] where nothing was counted; `{}` in the message stands for the count."""
        if not self.count:
            return []
        counted = message.replace("{}", f"{self.count:,}", 1)  # not str.format: a path may hold braces
        return [Finding(check, severity, self.count, counted, tuple(self.examples))]


def example(where, text, same_as=None):
    """One example as --json has it: the text in one line, shortened, and nobody's personal data whole."""
    found = {"where": where, "text": shown(text)}
    return found | {"same_as": same_as} if same_as else found


def shown(text):
    """A text fit to be printed: masked, in one line, bytes that are no UTF-8 as \\xNN, 160 characters at most."""
    text = personal.mask(text[:_LOOKED_AT])
    text = "".join(c if c.isprintable() else _ESCAPES.get(c, f"\\u{ord(c):04x}") for c in printable(text))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def printable(text):
    """A text that any UTF-8 output takes: bytes that were no UTF-8 as \\xNN."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def by_severity(findings):
    """Findings, the worst first, otherwise in the order of the checks."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
