"""Requests go to the clean process and answers come back, byte for byte."""

import numpy as np

from serving import exchange


def test_arrays_of_any_kind_survive(tmp_path):
    texts = exchange.strings(["", "a\0", b"\xff\0\0", "é" * 300])
    grid = exchange.strings([b"1", b"", b"22", b"3\0"]).reshape(2, 2)
    sent = [
        ("serving_default", {"text": texts, "text_pair": texts[::-1]}),
        ("classify", {"classes": grid, "scores": np.array([[0.25, 0.75]], np.float32)}),
        ("contract", {"key": exchange.strings([]), "flag": np.array([True])}),
    ]
    exchange.write(tmp_path / "requests.npz", sent)
    received = exchange.read(tmp_path / "requests.npz")
    assert [name for name, _ in received] == ["serving_default", "classify", "contract"]
    for (_, given), (_, got) in zip(sent, received, strict=True):
        assert list(got) == list(given)
        for name in given:
            assert got[name].dtype == given[name].dtype and got[name].shape == given[name].shape
            assert got[name].tolist() == given[name].tolist()
