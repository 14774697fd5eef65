"""Rows in arrays, texts on the disk: what a process takes grows little with them."""

import pytest

from benchmarks.doctor_memory import measure, write_rows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_two_hundred_thousand_rows(tmp_path):
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    write_rows(small, 20_000)
    planted = write_rows(large, 200_000)
    less, more = measure(small), measure(large)
    per_row = (more["peak_MB"] - less["peak_MB"]) / 180_000
    assert per_row > 0, "the peak is not that of the rows"
    assert less["peak_MB"] + per_row * 980_000 < 1000, "a million rows would not stay within 1 GB"
    assert planted == {"exact": 2000, "near": 2000, "similar": 2000}
    found = more["found"]
    assert found["exact"] == 2000 and found["near"] == 4000 and 1900 <= found["similar"] <= 2000
