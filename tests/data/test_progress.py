"""The progress line, by a clock of its own."""

import io

from data.progress import Progress, progress_text


class Terminal(io.StringIO):
    def isatty(self):
        return True


def walk(stream, steps):
    seconds = iter(steps)
    progress = Progress("encoder", 100_000_000, stream, clock=lambda: next(seconds))
    for done in range(len(steps) - 2):
        progress.reach(done * 10_000_000)
    progress.close()
    return stream.getvalue()


def test_text_says_bytes_speed_and_time_left():
    assert progress_text("encoder", 41_500_000, 83_000_000, 4.15) == "encoder  41.5 of 83.0 MB  10.0 MB/s  4 s left"
    assert progress_text("encoder", 83_000_000, 83_000_000, 8.3) == "encoder  83.0 of 83.0 MB  10.0 MB/s"


def test_rows_are_whole():
    assert (
        progress_text("reading", 10_000, 40_000, 2.0, "rows")
        == "reading  10,000 of 40,000 rows  5,000 rows/s  6 s left"
    )
    assert progress_text("reading", 10_000, 0, 2.0, "rows") == "reading  10,000 rows  5,000 rows/s"


def test_unknown_total_promises_no_time():
    assert progress_text("encoder", 5_000_000, 0, 1.0) == "encoder  5.0 MB  5.0 MB/s"


def test_no_time_gone_divides_by_nothing():
    assert progress_text("encoder", 0, 10, 0.0).startswith("encoder  0.0 of 0.0 MB  0.0 MB/s")


def test_terminal_line_is_rewritten_and_ends():
    shown = walk(Terminal(), [0, 0.1, 1.0, 1.1, 2.0, 2.5])
    assert shown.count("\r") == 2
    assert shown.endswith("\n")


def test_elsewhere_lines_are_rare():
    shown = walk(io.StringIO(), [0, 1, 2, 3, 4, 5])
    assert shown == "encoder  30.0 of 100.0 MB  6.0 MB/s  12 s left\n"
