"""Archives that are not what they seem are refused before a byte of theirs reaches the disk."""

import io
import tarfile
import zipfile

import pytest

from data import archive
from tests.data.artifacts import tar_gz_bytes, zip_bytes
from trainer.config import EnvironmentFault


def read_zip(path, content, name="a.txt", limit=100):
    path.write_bytes(content)
    with archive.open_zip(path) as opened:
        return b"".join(archive.zip_chunks(opened, name, limit))


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_reads_the_member_of_that_exact_name(tmp_path):
    assert read_zip(tmp_path / "a.zip", zip_bytes({"b/a.txt": "other", "a.txt": "own"})) == b"own"


def test_absent_member_is_named(tmp_path):
    with pytest.raises(EnvironmentFault, match=r"a\.zip: no member a\.txt"):
        read_zip(tmp_path / "a.zip", zip_bytes({"A.txt": "own"}))


@pytest.mark.parametrize("name", ["../a.txt", "x/../../a.txt", "/a.txt", "..\\a.txt", "C:/a.txt"])
def test_members_that_lead_out_are_refused_though_nobody_asks_for_them(tmp_path, name):
    with pytest.raises(EnvironmentFault, match="leads out of the archive"):
        read_zip(tmp_path / "a.zip", zip_bytes({"a.txt": "own", name: "evil"}))


def test_link_in_a_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo("a.txt")
    link.external_attr = 0o120777 << 16
    with pytest.raises(EnvironmentFault, match=r"a\.txt is a link"):
        read_zip(tmp_path / "a.zip", zip_bytes({link: "/etc/passwd"}))


def test_a_name_that_occurs_twice_is_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("a.txt", "one")
        with pytest.warns(UserWarning, match="Duplicate"):
            opened.writestr("a.txt", "two")
    with pytest.raises(EnvironmentFault, match="occurs twice"):
        read_zip(tmp_path / "a.zip", buffer.getvalue())


def test_zip_member_over_its_bound_is_refused(tmp_path):
    with pytest.raises(EnvironmentFault, match="over 100 bytes"):
        read_zip(tmp_path / "a.zip", zip_bytes({"a.txt": "0" * 101}))


def test_broken_zips_are_one_line(tmp_path):
    whole = zip_bytes({"a.txt": b"own content"})
    start = whole.index(b"a.txt") + len("a.txt")  # of the compressed bytes
    with pytest.raises(EnvironmentFault, match="not a readable zip"):
        read_zip(tmp_path / "a.zip", whole[:-30])
    with pytest.raises(EnvironmentFault, match=r"a\.txt is not readable"):
        read_zip(tmp_path / "a.zip", whole[:start] + b"\xff" * 5 + whole[start + 5 :])


def test_tar_gz_gives_the_member():
    packed = tar_gz_bytes({"b/a.txt": b"other", "a.txt": b"own"})
    assert archive.tar_gz_member(packed, "a.txt", limit=100_000) == b"own"


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (special("a.txt", tarfile.SYMTYPE, "/etc/passwd"), "a.txt is a link"),
        (special("a.txt", tarfile.LNKTYPE, "b.txt"), "a.txt is a link"),
        (special("pipe", tarfile.FIFOTYPE), "pipe is a link or a special file"),
        (special("../a.txt", tarfile.REGTYPE), "leads out"),
        (special("/a.txt", tarfile.REGTYPE), "leads out"),
    ],
)
def test_tar_with_links_devices_or_ways_out_is_refused(member, message):
    packed = tar_gz_bytes({"b.txt": b"own", member.name: member})
    with pytest.raises(EnvironmentFault, match=message):
        archive.tar_gz_member(packed, "b.txt", limit=100_000)


def test_tar_gz_that_unpacks_to_too_much_is_refused_early():
    packed = tar_gz_bytes({"zeros": bytes(5_000_000), "a.txt": b"own"})
    assert len(packed) < 10_000
    with pytest.raises(EnvironmentFault, match="over 1000000 bytes"):
        archive.tar_gz_member(packed, "a.txt", limit=1_000_000)


@pytest.mark.parametrize("packed", [b"", b"not gzip", tar_gz_bytes({"a.txt": b"own" * 1000})[:-20]])
def test_broken_tar_gz_is_one_line(packed):
    with pytest.raises(EnvironmentFault, match=r"a\.txt"):
        archive.tar_gz_member(packed, "a.txt", limit=100_000)
