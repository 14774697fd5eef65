"""The doctor's command line, run in this process."""

import contextlib
import dataclasses
import io
import json

from data.doctor import __main__ as doctor


@dataclasses.dataclass(frozen=True)
class Answer:
    """Exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def report(self):
        return json.loads(self.out)

    def found(self, *severities):
        """{check: finding} of those severities; all by default."""
        return {f["check"]: f for f in self.report["findings"] if not severities or f["severity"] in severities}


def ask(*arguments):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = doctor.main([str(argument) for argument in arguments])
    return Answer(code, out.getvalue(), err.getvalue())


def error_line(answer):
    """The one line of a command that was refused."""
    assert answer.code == 2 and answer.out == "" and len(answer.err.splitlines()) == 1, answer
    assert answer.err.startswith("error: ")
    return answer.err
