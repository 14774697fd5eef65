"""Labels that were flipped on purpose come out on top."""

import random

import pytest

from tests.data.doctor.asking import ask
from tests.data.plain_texts import LABELS, as_csv, rows


@pytest.mark.parametrize("seed", [0, 1])
def test_most_of_the_suspicious_labels_are_the_flipped_ones(tmp_path, seed):
    table = rows(400, seed)
    flipped = random.Random(seed).sample(range(400), 20)
    for row in flipped:
        table[row] = (table[row][0], LABELS[1 - LABELS.index(table[row][1])])
    path = tmp_path / "some.csv"
    path.write_bytes(as_csv(table))
    answer = ask(path, "--json", "--noise", "--nosimilar", "--nolanguages")
    listed = answer.report["noise"]
    planted = {f"{path}:{row + 2}" for row in flipped}
    assert len([one for one in listed[:20] if one["where"] in planted]) >= 16
    assert answer.found("warning")["label_noise"]["count"] == len(listed)
    scores = [one["score"] for one in listed]
    assert scores == sorted(scores) and all(0 <= score <= 1 for score in scores)
    assert all(one["label"] != one["suggested"] for one in listed)
    table = ask(path, "--noise", "--nosimilar", "--nolanguages").out
    assert "suspicious labels" in table and listed[0]["where"] in table


def test_text_without_spaces(tmp_path):
    good = [f"酒店环境很好服务热情值得推荐房间{n}干净" for n in range(60)]
    bad = [f"电池坏了客服不理人要求退货第{n}次失望" for n in range(60)]
    table = [(text, "好") for text in good] + [(text, "差") for text in bad]
    table[7], table[100] = (table[7][0], "差"), (table[100][0], "好")
    path = tmp_path / "some.csv"
    path.write_bytes(as_csv(table))
    listed = ask(path, "--json", "--noise", "--nosimilar").report["noise"]
    assert {one["where"] for one in listed[:2]} == {f"{path}:9", f"{path}:102"}


def test_too_few_rows_or_one_class_is_no_fault_of_noise(tmp_path):
    path = tmp_path / "some.csv"
    path.write_bytes(as_csv(rows(6)))
    assert ask(path, "--json", "--noise").report["noise"] == []
