"""The picture is a PNG that shows what was measured."""

import matplotlib.image
import numpy as np
import pytest

from serving.load import picture
from serving.load.measure import OK, Measure


def of(pixels, colour):
    """How many pixels have a colour, given as #rrggbb."""
    wanted = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return int((np.abs(np.round(pixels[..., :3] * 255) - wanted).max(-1) <= 2).sum())


@pytest.mark.parametrize("failures", [0, 300])
def test_answers_are_blue_and_errors_red(tmp_path, failures):
    measure = Measure(began=0.0)
    for number in range(1000):
        due = number / 100
        measure.start(due, due)
        measure.end(due, due + 0.01 + number / 1e5, "UNAVAILABLE" if number < failures else OK)
    picture.draw(tmp_path / "a.png", "a $model$ 电影", measure)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG\r\n")
    pixels = matplotlib.image.imread(tmp_path / "a.png")
    assert pixels.shape[:2] == (845, 1170)
    assert of(pixels, "#1f6feb") > 2000
    assert of(pixels, "#cf222e") > 800 if failures else of(pixels, "#cf222e") == 0


def test_nothing_measured_is_an_empty_picture(tmp_path):
    picture.draw(tmp_path / "a.png", "reviews", Measure(began=0.0))
    assert matplotlib.image.imread(tmp_path / "a.png").std() > 0
