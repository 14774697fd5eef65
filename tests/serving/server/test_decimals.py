import numpy as np
import pytest

from serving.server.decimals import texts


@pytest.mark.parametrize(
    ("value", "single", "double"),
    [
        (0.2, "0.2", "0.2"),
        (1, "1.0", "1.0"),
        (-0.0, "-0.0", "-0.0"),
        (9_000_000, "9e+06", "9e+06"),
        (0.00003, "3e-05", "3e-05"),
        (1 / 3, "0.333333343", "0.33333333333333331"),
        (16_777_217, "16777216.0", "16777217.0"),
        (1234567, "1234567.0", "1234567.0"),
        (np.nan, "NaN", "NaN"),
        (np.inf, "Infinity", "Infinity"),
        (-np.inf, "-Infinity", "-Infinity"),
        (3.4028234663852886e38, "3.40282347e+38", "3.4028234663852886e+38"),
    ],
)
def test_six_digits_where_they_are_exact_and_all_of_them_else(value, single, double):
    assert texts([value], "float32") == [single]
    assert texts([value], "float64") == [double]


def test_an_array_is_read_back_as_it_was():
    array = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    assert np.array_equal(np.array(texts(array, "float32"), np.float32), array.ravel())
    assert texts(np.zeros((0, 3), np.float32), "float32") == []
