import errno

import pytest

from serving import command
from serving.contract import ServingError


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (ServingError("not proven", exit_code=3), 3, "not proven"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 5, "out of memory"),
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), 5, "/data/x: No space left on device; free some"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), 5, "/data/x: Permission denied"),
        (ServingError("two\n  lines"), 2, "two lines"),
    ],
)
def test_every_failure_is_one_line_and_its_exit_code(capsys, raised, code, said):
    def main(_):
        raise raised

    assert command._guarded(main, []) == code
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"error: {said}") and err.count("\n") == 1


def test_success_is_0_and_a_bug_keeps_its_traceback():
    assert command._guarded(lambda arguments: None, []) == 0
    assert command._guarded(lambda arguments: 130, []) == 130
    with pytest.raises(ZeroDivisionError):
        command._guarded(lambda arguments: 1 / 0, [])
