"""Texts that are nearly alike though their keys differ, by MinHash with banding (Broder 1997; Leskovec et al., ch. 3).

A text is the set of its shingles, runs of four letters or digits of its near key. Sixty minima in twelve bands of five
find 99 of 100 pairs of Jaccard similarity 0.8; every candidate is then compared shingle by shingle, so that no pair is
reported that does not reach it.
"""

import dataclasses

import numpy as np

from data.doctor.findings import EXAMPLES, NOTE, WARNING, Tally
from data.keys import near_key

SHINGLE, BANDS, BAND_ROWS, JACCARD = 4, 12, 5, 0.8
MOST_FILES = 64  # bits of a mask of files
MOST_PAIRS = 2_000_000  # candidates that are compared, some 20 µs each; the rest are left, and the report says so
_CHUNK = 5_000  # texts hashed together
_WEIGHTS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)
_MIX = np.uint64(0xFF51AFD7ED558CCD)


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Pairs of distinct texts that are alike: `<int64>[pairs]` each, rows that first hold them; complete: bool."""

    first: np.ndarray
    second: np.ndarray
    complete: bool


def find_similar(rows, overlaps, progress):
    """Gives every Overlap its `similar` rows; returns whether all candidates were compared.

    progress: callable (what, done, total).
    """
    _, place, holder = np.unique(rows.near, return_index=True, return_inverse=True)
    holder = place[holder]  # of each row, the first row with the same near key
    texts = np.unique(holder[rows.near != 0])
    bands = _band_keys(rows, texts, progress)
    pairs = _alike(rows, texts, bands, _files_of(rows, holder), progress)
    for overlap in overlaps:
        overlap.similar = _of_overlap(rows, overlap, holder, pairs)
    return pairs.complete


def findings(overlaps, complete):
    """[Finding] of rows that are alike beyond both keys; a note inside a file, a warning elsewhere."""
    found = []
    for overlap in overlaps:
        again, others = overlap.similar
        tally, rows = Tally(), overlap.rows
        for row, other in zip(again[:EXAMPLES].tolist(), others[:EXAMPLES].tolist(), strict=True):
            tally.add(rows.where(row), rows.texts[row], rows.where(other))
        tally.count = len(again)
        where = "an earlier row" if overlap.inside else f"a row of {overlap.name()}"
        message = f"{{}} rows of {rows.sources[overlap.index].path} are nearly {where} (MinHash, Jaccard ≥ {JACCARD})"
        message += "" if complete else "; not all candidates were compared, there may be more"
        found += tally.found(f"{overlap.kind()}_similar", NOTE if overlap.inside else WARNING, message)
    return found


def shingle_hashes(keys):
    """(hashes `<uint32>[shingles]`, counts `<int64>[keys]`) of the shingles of each key, one key after the other."""
    lengths = np.fromiter(map(len, keys), np.int64, len(keys))
    codes = np.frombuffer("".join(keys).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    if len(codes) < SHINGLE:
        return np.zeros(0, np.uint32), np.zeros(len(keys), np.int64)
    windows = len(codes) - SHINGLE + 1
    hashes = np.zeros(windows, np.uint64)
    for offset, weight in enumerate(_WEIGHTS):
        hashes += codes[offset : offset + windows] * weight
    hashes ^= hashes >> np.uint64(29)
    hashes *= _MIX
    within = np.ones(windows, bool)
    ends = np.cumsum(lengths)
    for offset in range(1, SHINGLE):  # windows that reach into the next text
        places = ends - offset
        within[places[(places >= 0) & (places < windows)]] = False
    return (hashes >> np.uint64(32)).astype(np.uint32)[within], np.maximum(lengths - SHINGLE + 1, 0)


def band_keys(keys):
    """`<uint32>[bands, keys]`: of each band a hash of its minima; a key shorter than a shingle gets 0 in all."""
    hashes, counts = shingle_hashes(keys)
    found = np.zeros((BANDS, len(keys)), np.uint32)
    long = np.flatnonzero(counts)
    if not len(long):
        return found
    starts = (np.cumsum(counts) - counts)[long]
    factors = np.random.default_rng(20).integers(1, 2**31, BANDS * BAND_ROWS, np.uint32) * np.uint32(2) + np.uint32(1)
    for band in range(BANDS):
        key = np.full(len(long), band + 1, np.uint64)
        for factor in factors[band * BAND_ROWS : (band + 1) * BAND_ROWS]:
            key = (key ^ np.minimum.reduceat(_scrambled(hashes, factor), starts)) * _MIX
            key ^= key >> np.uint64(31)
        found[band, long] = np.maximum(key >> np.uint64(32), 1).astype(np.uint32)
    return found


def jaccard(one, other):
    """Share of the shingles of two sets that both hold."""
    both = len(one & other)
    return both / max(1, len(one) + len(other) - both)


def shingles(text):
    """The set of shingles of a text."""
    key = near_key(text)
    return {key[i : i + SHINGLE] for i in range(len(key) - SHINGLE + 1)}


def _scrambled(hashes, factor):
    # An odd factor permutes 32-bit numbers; the shift carries the high bits, which multiplying does not, downwards.
    scrambled = hashes * factor
    scrambled ^= scrambled >> np.uint32(15)
    return scrambled * (factor ^ np.uint32(0x5BD1E994))


def _band_keys(rows, texts, progress):
    found = np.zeros((BANDS, len(texts)), np.uint32)
    for start in range(0, len(texts), _CHUNK):
        chunk = texts[start : start + _CHUNK].tolist()
        found[:, start : start + len(chunk)] = band_keys([near_key(rows.texts[row]) for row in chunk])
        progress("hashing texts", start + len(chunk), len(texts))
    return found


def _files_of(rows, holder):
    """`<uint64>[rows]`: of the first row of each text, the files that hold it, as bits."""
    files = np.zeros(len(rows), np.uint64)
    np.bitwise_or.at(files, holder, np.uint64(1) << rows.file.astype(np.uint64))
    return files


def _alike(rows, texts, bands, files, progress):
    """Compares the candidates, band by band; a row that is known to be like one of a file needs no other of it."""
    known = np.zeros(len(rows), np.uint64)
    first, second, compared = [], [], 0
    for band in range(BANDS):
        for ones, others in _candidates(bands[band], texts):
            fresh = files[ones] & ~known[others] != 0
            ones, others = ones[fresh], others[fresh]
            room = max(0, MOST_PAIRS - compared)
            alike = _compare(rows, ones[:room], others[:room])
            compared += len(ones)
            ones, others = ones[alike], others[alike]
            first.append(ones)
            second.append(others)
            np.bitwise_or.at(known, others, files[ones])
        progress("comparing texts", band + 1, BANDS)
    return Pairs(np.concatenate(first), np.concatenate(second), compared <= MOST_PAIRS)


def _candidates(band, texts):
    """(rows, rows) that share a band's hash: each with the first of its bucket, then with the one before it."""
    order = np.argsort(band, kind="stable")
    ordered = band[order]
    new = np.append(True, ordered[1:] != ordered[:-1]) if len(band) else np.zeros(0, bool)
    head = np.maximum.accumulate(np.where(new, np.arange(len(band)), 0))
    member = np.flatnonzero(~new & (ordered != 0))
    yield texts[order[head[member]]], texts[order[member]]
    later = member[head[member] < member - 1]
    yield texts[order[later - 1]], texts[order[later]]


def _compare(rows, ones, others):
    """`<int64>[alike]`: indices of the pairs that reach the similarity."""
    alike, row, held = [], None, None
    by_one = np.argsort(ones, kind="stable")
    for pair, one, other in zip(by_one.tolist(), ones[by_one].tolist(), others[by_one].tolist(), strict=True):
        if one != row:
            row, held = one, shingles(rows.texts[one])
        if jaccard(held, shingles(rows.texts[other])) >= JACCARD:
            alike.append(pair)
    return np.array(alike, np.int64)


def _of_overlap(rows, overlap, holder, pairs):
    """(rows, rows they are like) of one Overlap, without those that its near key finds."""
    own = rows.of(overlap.index)
    own = own[(rows.near[own] != 0) & ~np.isin(own, overlap.near[0])]
    there = own if overlap.inside else rows.of(*overlap.others)
    firsts = np.full(len(rows), len(rows), np.int64)  # of each text, its first row among `there`
    np.minimum.at(firsts, holder[there], there)
    best = np.full(len(rows), len(rows), np.int64)  # of each text, the first row that is like it
    for ones, others in ((pairs.first, pairs.second), (pairs.second, pairs.first)):
        np.minimum.at(best, others, firsts[ones])
    like = best[holder[own]]
    hit = like < (own if overlap.inside else len(rows))
    return own[hit], like[hit]
