"""Every case says what it rests on: a source file of TensorFlow Serving, TensorFlow or gRPC, or what was seen."""

import re

import pytest

_FORMS = re.compile(r"(tensorflow_serving|tensorflow|grpc)/\S+\.(cc|h|proto): \S.*|Fact: \S.*")


def case(source):
    """Marks a test with its source: `path/in/the/repository.cc: Function`, or `Fact: what a real server did`.

    ValueError for any other form.
    """
    if not _FORMS.fullmatch(source):
        raise ValueError(f"{source!r} is no source; write 'tensorflow_serving/…/file.cc: Function' or 'Fact: …'")
    return pytest.mark.conforms(source)


def row(name, source, *values):
    """One case of a table: a parameter set with its name and its source."""
    return pytest.param(*values, id=name, marks=case(source))
