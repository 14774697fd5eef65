"""Rolling back: an older version under the next number, so that servers that take the newest take it again."""

import os

from serving.contract import ServingError, check_proven
from serving.release import base_path as folder
from serving.release import history, source
from serving.release.publish import publish


def rollback(base_path, version=None, reason=""):
    """Publishes `version` again, by default what was served before the newest; returns (its number, Published).

    After a rollback, "before" is what was served before the version that came back. ServingError where there is none,
    or where its files are no longer those that were proven (exit 3).
    """
    base_path = os.path.abspath(base_path)
    present = folder.versions_there(base_path)
    if version is None:
        version = _before(base_path, present)
    if version not in present:
        raise ServingError(f"--version={version} is not there; there are {folder.listed(present)}")
    path = os.path.join(base_path, present[version])
    if version == max(present):
        raise ServingError(f"--version={version} is the newest already; give an older one of {folder.listed(present)}")
    check_proven(path)
    return version, publish(path, base_path, reason=reason, force=True, restores=version)


def _before(base_path, present):
    restored = {each["version"]: each["restores"] for each in history.read(base_path) if each.get("restores")}
    number = max(present)
    while number in restored:
        number = restored[number]
    prints = {each: source.fingerprint(os.path.join(base_path, present[each])) for each in present if each <= number}
    others = [each for each in prints if each < number and prints[each] != prints.get(number)]
    if not others:
        raise ServingError(
            f"{base_path}: there is no other version before {number}; give --version, one of {folder.listed(present)}"
        )
    return max(others)
