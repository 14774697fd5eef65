"""MinHash: what it finds against all pairs compared one by one."""

import itertools
import random

import numpy as np

from data.doctor import similar
from data.doctor.overlaps import overlaps
from data.doctor.rows import Rows, Source
from data.keys import near_key
from trainer.inputs.sources import Table

_SOURCES = [Source(f"{name}.csv", "text", "", "", name, "set") for name in ("train", "dev", "test")]


def test_shingles_stay_inside_their_text():
    keys = ["abcdef", "ab", "", "abcdxyz", "价格不错很好"]
    hashes, counts = similar.shingle_hashes(keys)
    assert counts.tolist() == [3, 0, 0, 4, 3] and len(hashes) == 10
    alone = [similar.shingle_hashes([key])[0].tolist() for key in keys]
    assert hashes.tolist() == list(itertools.chain(*alone))
    assert hashes[0] == hashes[3] and len(set(hashes.tolist())) == 9


def test_short_texts_are_like_nothing():
    assert not similar.band_keys(["abc", "", "ab"]).any()


def test_minima_agree_as_often_as_texts_are_alike():
    draw = random.Random(4)
    agreed, expected = [], []
    for _ in range(300):
        words = ["".join(draw.choices("abcdefghijklmnop", k=5)) for _ in range(20)]
        other = words[: draw.randint(8, 20)]
        other += ["".join(draw.choices("abcdefghijklmnop", k=5)) for _ in range(20 - len(other))]
        texts = [" ".join(words), " ".join(other)]
        bands = similar.band_keys([near_key(text) for text in texts])
        agreed.append((bands[:, 0] == bands[:, 1]).mean())
        expected.append(similar.jaccard(*map(similar.shingles, texts)) ** similar.BAND_ROWS)
    assert abs(np.mean(agreed) - np.mean(expected)) < 0.02


def _random_rows(seed):
    """Three splits whose texts are drawn from few, some words changed."""
    draw = random.Random(seed)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(3, 8))) for _ in range(300)]
    kinds = [draw.choices(words, k=18) for _ in range(25)]
    rows = Rows([])
    for source in _SOURCES:
        texts = []
        for _ in range(60):
            text = list(draw.choice(kinds))
            for place in draw.sample(range(18), draw.choice([0, 1, 1, 2, 4])):
                text[place] = draw.choice(words)
            texts.append(" ".join(text) if draw.random() < 0.8 else " ".join(text).upper())
        rows.add(Table(texts, None, None, source.path, np.arange(2, 62)), source)
    rows.close()
    return rows


def test_found_is_what_comparing_all_pairs_finds():
    missed = total = 0
    for seed in range(4):
        rows = _random_rows(seed)
        found = overlaps(rows)
        assert similar.find_similar(rows, found, lambda what, done, total: None)
        sets = [similar.shingles(text) for text in rows.texts]
        for overlap in found:
            expected = _all_pairs(rows, overlap, sets)
            again, others = overlap.similar
            assert set(again.tolist()) <= expected, "a row that is like no other"
            for row, other in zip(again, others, strict=True):
                assert similar.jaccard(sets[row], sets[other]) >= similar.JACCARD
                assert rows.file[other] in overlap.others and (not overlap.inside or other < row)
            missed, total = missed + len(expected - set(again.tolist())), total + len(expected)
    assert total > 200 and missed <= 0.03 * total


def _all_pairs(rows, overlap, sets):
    near = set(overlap.near[0].tolist())
    there = [row for row in range(len(rows)) if rows.file[row] in overlap.others]
    return {
        row
        for row in rows.of(overlap.index).tolist()
        if row not in near
        and any(
            similar.jaccard(sets[row], sets[other]) >= similar.JACCARD
            for other in there
            if not overlap.inside or other < row
        )
    }


def test_the_report_says_so_when_not_all_candidates_were_compared(monkeypatch):
    monkeypatch.setattr(similar, "MOST_PAIRS", 3)
    compared, compare = [], similar._compare
    monkeypatch.setattr(
        similar, "_compare", lambda rows, ones, others: (compared.extend(ones), compare(rows, ones, others))[1]
    )
    rows = _random_rows(1)
    found = overlaps(rows)
    complete = similar.find_similar(rows, found, lambda what, done, total: None)
    assert not complete and len(compared) == 3 and "there may be more" in similar.findings(found, complete)[0].message
