"""Which version to publish: the one that was named, or the newest proven export of a workdir."""

import hashlib
import json
import os

from serving import contract
from serving.contract import ServingError


def find(source):
    """Path of the proven version that `source` means; ServingError (exit 3) where what is there is not proven."""
    if not os.path.isdir(source):
        kind = "a file" if os.path.exists(source) else "no such folder"
        raise ServingError(f"--source={source}: {kind}; give the workdir of a training, or one exported version")
    version = source if _is_version(source) else _newest_export(source)
    contract.check_proven(version)
    contract.read_contract(version)
    return os.path.abspath(version)


def fingerprint(version_dir):
    """ "sha256:<hex>" over the proven hashes of all files: equal for equal versions; None without a readable proof."""
    try:
        files = contract.read_proof(version_dir)["files"]
    except ServingError:
        return None
    return "sha256:" + hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def is_intact(version_dir):
    """Whether the files are still those that were proven."""
    try:
        return bool(contract.check_proven(version_dir))
    except ServingError:
        return False


def _is_version(folder):
    return any(os.path.exists(os.path.join(folder, name)) for name in ("saved_model.pb", contract.CONTRACT_FILE))


def _newest_export(workdir):
    exports = os.path.join(workdir, "export")
    names = [name for name in os.listdir(exports) if not name.startswith(".")] if os.path.isdir(exports) else []
    folders = [folder for name in names if _is_version(folder := os.path.join(exports, name))]
    if not folders:
        raise ServingError(
            f"--source={workdir} holds neither a version nor export/<fingerprint>/; make one: "
            f"python -m trainer.main --mode=export --workdir={workdir}"
        )
    return max(folders, key=_age)


def _age(folder):
    """Sorts exports by when they were made; one without a readable contract counts as oldest."""
    try:
        return (contract.read_contract(folder).get("created", ""), os.path.getmtime(folder))
    except ServingError:
        return ("", os.path.getmtime(folder))
