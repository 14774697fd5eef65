"""From a pinned artifact to its checked bytes in a file, through the user's own package registry.

unearth reads index pages and folders of links as pip does, yet builds and runs nothing: `pip download` of an sdist
would run its setup.py. The sha256 is checked before anybody opens the file.
"""

import contextlib
import hashlib
import logging
import re
import sys
import time

import httpx2
import unearth

from data.connection import open_client
from data.progress import Progress
from trainer.config import EnvironmentFault

CHUNK = 1 << 18  # bytes
REFUSED = (httpx2.HTTPError, httpx2.InvalidURL)


def download(carried, path, settings):
    """Writes the artifact of `carried` to `path`; EnvironmentFault, and no file, unless its sha256 is as pinned."""
    with open_client(settings) as client:
        link = find_link(carried, client, settings)
        print(f"{carried.name}: from {link.redacted}", file=sys.stderr)
        try:
            _stream(client, link, path, carried, settings.retries)
        except REFUSED as error:
            raise EnvironmentFault(
                f"{link.redacted}: the download failed ({_reason(error)}); run the same command again"
            ) from None
    given = _file_hash(path)  # what lies on the disk, not what came over the wire
    if given != carried.sha256:
        path.unlink()
        raise EnvironmentFault(
            f"{link.redacted}: hash mismatch: expected sha256 {carried.sha256}, given {given}; the file was deleted; "
            "ask who runs this registry for the original artifact"
        )


def find_link(carried, client, settings):
    """The unearth Link of the artifact: of the first source known to have its sha256, else of one that tells none."""
    faults, silent, other = [], None, None
    for source in _sources(settings):
        for link in _links(carried, client, source, settings, faults):
            known = _known_hash(link)
            if known == carried.sha256:
                return link
            silent = silent or (None if known else link)
            other = other or link
    if silent or other:
        return silent or other
    raise _not_found(carried, settings, faults)


def _links(carried, client, source, settings, faults):
    # One finder per source: a registry that is down must not hide what the next one has.
    warnings = _Warnings(faults)
    logging.getLogger("unearth").addHandler(warnings)
    try:
        # Nothing is installed: a wheel for another Python is as good.
        finder = unearth.PackageFinder(
            client, ignore_compatibility=True, trusted_hosts=settings.trusted_hosts, **source
        )
        wanted = f"{carried.package}=={carried.version}"
        found = _patiently(lambda: list(finder.find_matches(wanted)), settings.retries)
        return [match.link for match in found if match.link.filename == carried.artifact]
    except (*REFUSED, OSError, ValueError, KeyError) as error:  # the latter ones: pages that are none
        faults.append(f"{_named(source)}: {_reason(error)}")
    finally:
        logging.getLogger("unearth").removeHandler(warnings)
    return []


def _known_hash(link):
    # A file of this machine is asked itself, so that a folder of links alone needs no network.
    if link.is_file and link.file_path.is_file():
        return _file_hash(link.file_path)
    return ((link.hash_option or {}).get("sha256") or [""])[0]


def _file_hash(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Warnings(logging.Handler):
    """Gathers what unearth only logs, 404 apart: a registry without the package answers just that."""

    def __init__(self, faults):
        super().__init__(logging.WARNING)
        self.faults = faults

    def emit(self, record):
        message = record.getMessage()
        if "(404)" not in message:
            self.faults.append(message)


def _sources(settings):
    yield from ({"find_links": [place], "index_urls": []} for place in settings.find_links)
    yield from ({"index_urls": [url]} for url in settings.index_urls)


def _named(source):
    (place,) = source.get("find_links") or source["index_urls"]
    return re.sub("//[^/]*@", "//***@", place)  # nobody's password reaches a terminal


def _not_found(carried, settings, faults):
    wanted = f"{carried.package}=={carried.version} ({carried.artifact})"
    if faults:
        return EnvironmentFault(
            f"{wanted}: no registry of pip's configuration gave it: {'; '.join(dict.fromkeys(faults))}; "
            "check the network and `pip config list`"
        )
    places = ", ".join(_named(source) for source in _sources(settings)) or "none (no-index is set)"
    return EnvironmentFault(
        f"{wanted} is not at {places}; ask for a mirror that has it, or set PIP_INDEX_URL or PIP_FIND_LINKS"
    )


def _stream(client, link, path, carried, retries):
    progress = None
    with path.open("wb") as file:

        def receive():
            nonlocal progress
            for chunk, total in _chunks(client, link, file):
                progress = progress or Progress(carried.name, total)
                file.write(chunk)
                progress.reach(file.tell())
                if file.tell() > carried.size:
                    raise EnvironmentFault(f"{link.redacted}: over {carried.size} bytes; this is another artifact")

        try:
            _patiently(receive, retries)
        finally:
            if progress:
                progress.close()


def _chunks(client, link, file):
    # A broken connection goes on where it broke; the hash over the whole file finds any mix-up.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={file.tell()}-"} if file.tell() else {})
    with contextlib.ExitStack() as stack:
        try:
            response = stack.enter_context(client.get_stream(link.normalized, headers=headers))
        except OSError as error:  # a file:// link that may not be read
            raise EnvironmentFault(f"{link.redacted}: {error.strerror or error}") from None
        response.raise_for_status()
        if response.status_code != 206 and file.tell():
            file.seek(0)
            file.truncate()
        total = file.tell() + int(response.headers.get("Content-Length") or 0)
        for chunk in response.iter_bytes(CHUNK):
            yield chunk, total


def _patiently(call, retries):
    # As pip does: a broken connection or a 5xx answer is tried again, after a while that doubles.
    for attempt in range(retries + 1):
        try:
            return call()
        except httpx2.HTTPError as error:
            if attempt == retries or not _passing(error):
                raise
            time.sleep(min(0.25 * 2**attempt, 8))


def _passing(error):
    if isinstance(error, httpx2.HTTPStatusError):
        return error.response.status_code >= 500
    return isinstance(error, httpx2.TransportError) and not isinstance(error, httpx2.UnsupportedProtocol)


def _reason(error):
    if isinstance(error, httpx2.HTTPStatusError):
        return f"HTTP {error.response.status_code} {error.response.reason_phrase}"
    return str(error).split("\n")[0] or type(error).__name__
