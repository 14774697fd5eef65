"""Taking away old versions: all but the newest few, never one that models.config names."""

import os
import shutil

from serving.contract import ServingError
from serving.release import base_path as folder
from serving.release import history, model_config, source, staging


def collect(base_path, keep=3, version=None, config_file=None, dry_run=False, reason=""):
    """Removes all versions but the `keep` newest, or `version` alone; returns {"removed", "kept": numbers, "bytes"}.

    What a models.config labels or serves by number stays, without one what the history says is labelled; to ask for it
    by --version is a ServingError, as is the newest. A number that is gone stays in the history, never given again.
    """
    base_path = os.path.abspath(base_path)
    folder.versions_there(base_path)
    named = _named(config_file, base_path)
    with folder.locked(base_path):
        staging.clear(base_path)
        present = folder.numbers_present(base_path)
        chosen = _old(present, keep, named) if version is None else [_allowed(version, present, named)]
        size = sum(folder.size(os.path.join(base_path, present[number])) for number in chosen)
        if not dry_run:
            _remove(base_path, {number: present[number] for number in chosen}, reason)
    return {"removed": chosen, "kept": sorted(set(present) - set(chosen)), "bytes": size}


def _named(config_file, base_path):
    """{number: why it stays}; without a models.config by where labels were moved to last."""
    if config_file:
        return {number: f"{why} in models.config" for number, why in model_config.named(config_file, base_path).items()}
    labels = {each["label"]: each["version"] for each in history.read(base_path) if each.get("label")}
    return {
        number: f"labelled '{label}', says the history (a label that is gone is told by its --model_config_file)"
        for label, number in sorted(labels.items())
    }


def _old(present, keep, named):
    newest = sorted(present, reverse=True)[:keep]
    return sorted(set(present) - set(newest) - named.keys())


def _allowed(version, present, named):
    if version not in present:
        raise ServingError(f"--version={version} is not there; there are {folder.listed(present)}")
    if version in named:
        raise ServingError(f"--version={version} is {named[version]}; take that away first")
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
