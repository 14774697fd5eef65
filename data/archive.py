"""Members of an archive whose bytes have been checked, read by exact name; nothing is ever run or unpacked at large.

The bounds and refusals are a second fence: the first is that no artifact is opened before its sha256 is right.
"""

import contextlib
import gzip
import io
import pathlib
import stat
import tarfile
import zipfile
import zlib

from trainer.config import EnvironmentFault

CHUNK = 1 << 20  # bytes
MEMBERS = 10_000  # more than any artifact of the catalogue holds, a hundred times over


@contextlib.contextmanager
def open_zip(path):
    """An opened wheel or zip none of whose members is a link, leads out of the archive or occurs twice."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise EnvironmentFault(f"{pathlib.Path(path).name}: not a readable zip archive ({error})") from None
    with archive:
        infos = archive.infolist()
        _check_names(path, [info.filename for info in infos])
        for info in infos:
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise EnvironmentFault(f"{pathlib.Path(path).name}: the member {info.filename} is a link; refused")
        yield archive


def zip_chunks(archive, name, limit):
    """Yields the bytes of the member `name` in chunks; EnvironmentFault where it is absent or over `limit` bytes."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise _absent(archive.filename, name) from None
    if info.file_size > limit:
        raise _too_large(archive.filename, name, limit)
    try:
        with archive.open(info) as member:  # stops at the declared size, and checks the CRC at the end
            while chunk := member.read(CHUNK):
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise EnvironmentFault(f"{pathlib.Path(archive.filename).name}: {name} is not readable ({error})") from None


def tar_gz_member(packed, name, limit):
    """The bytes of the member `name` of the tar.gz in the bytes `packed`, which may unpack to `limit` bytes in all."""
    try:
        # Unpacked whole and bounded first: no header inside can then make tarfile read more than that.
        plain = gzip.GzipFile(fileobj=io.BytesIO(packed)).read(limit + 1)
        if len(plain) > limit:
            raise _too_large("tar.gz", name, limit)
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            return _tar_member(archive, name)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise EnvironmentFault(f"the archive that holds {name} is not readable ({error})") from None


def _tar_member(archive, name):
    members = archive.getmembers()
    _check_names("tar.gz", [member.name for member in members])
    for member in members:
        if not (member.isreg() or member.isdir()) or member.issparse():
            raise EnvironmentFault(f"tar.gz: the member {member.name} is a link or a special file; refused")
    for member in members:
        if member.name == name and member.isreg():
            return archive.extractfile(member).read()
    raise _absent("tar.gz", name)


def _check_names(path, names):
    where = pathlib.Path(path).name
    if len(names) > MEMBERS:
        raise EnvironmentFault(f"{where}: {len(names)} members; allowed are {MEMBERS}")
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in name:
            raise EnvironmentFault(f"{where}: the member {name!r} leads out of the archive; refused")
    if len(set(names)) < len(names):
        raise EnvironmentFault(f"{where}: a member's name occurs twice; refused")


def _absent(path, name):
    return EnvironmentFault(f"{pathlib.Path(path).name}: no member {name}; another artifact under the same name?")


def _too_large(path, name, limit):
    return EnvironmentFault(f"{pathlib.Path(path).name}: {name} unpacks to over {limit} bytes; refused")
