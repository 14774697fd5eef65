"""Taking away old versions: all but the newest few, never one that models.config names."""

import os
import shutil

from serving.contract import ServingError
from serving.release import base_path as folder
from serving.release import history, model_config, source, staging


def collect(base_path, keep=3, version=None, config_file=None, dry_run=False, reason=""):
    """Removes all versions but the `keep` newest, or `version` alone; returns {"removed", "kept": numbers, "bytes"}.

    What a models.config labels or serves by number stays; to ask for it by --version is a ServingError, as is the
    newest. A number that is gone stands in the history and is never given again.
    """
    base_path = os.path.abspath(base_path)
    folder.versions_there(base_path)
    named = model_config.named(config_file, base_path) if config_file else {}
    with folder.locked(base_path):
        staging.clear(base_path)
        present = folder.numbers_present(base_path)
        chosen = _old(present, keep, named) if version is None else [_allowed(version, present, named)]
        size = sum(folder.size(os.path.join(base_path, present[number])) for number in chosen)
        if not dry_run:
            _remove(base_path, {number: present[number] for number in chosen}, reason)
    return {"removed": chosen, "kept": sorted(set(present) - set(chosen)), "bytes": size}


def _old(present, keep, named):
    newest = sorted(present, reverse=True)[:keep]
    return sorted(set(present) - set(newest) - named.keys())


def _allowed(version, present, named):
    if version not in present:
        raise ServingError(f"--version={version} is not there; there are {folder.listed(present)}")
    if version in named:
        raise ServingError(f"--version={version} is {named[version]} in models.config; take that away first")
    if version == max(present):
        raise ServingError(f"--version={version} is the newest, which servers take; publish or roll back first")
    return version


def _remove(base_path, chosen, reason):
    """Each vanishes by one rename, the history says so, and then the files go."""
    entries = history.read(base_path)
    for number, name in chosen.items():
        path = os.path.join(base_path, name)
        entries.append(history.entry("gc", number, source.fingerprint(path), reason))
        prepared = history.prepare(base_path, entries)
        hidden = os.path.join(base_path, f"{folder.STAGING_PREFIX}gc-{number}")
        os.rename(path, hidden)
        history.commit(prepared)
        shutil.rmtree(hidden)
    staging.sync_folder(base_path)
