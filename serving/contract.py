"""The version directory's schema: what TF Serving is pointed at, how it is read, and when it counts as proven.

`<version>/{saved_model.pb, variables/, assets/, assets.extra/tf_serving_warmup_requests, contract.json, proof.json,
model_card.md}`. contract.json says what the version takes and gives; proof.json says that it was compared with the
trained model, and of exactly which files. Standard library only.
"""

import hashlib
import json
import os
import pathlib

CONTRACT_FILE = "contract.json"
PROOF_FILE = "proof.json"
CARD_FILE = "model_card.md"
WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
SCHEMA_VERSION = "1.0"

# Not hashed by the proof: the proof itself, and the text for people.
_UNHASHED = frozenset({PROOF_FILE, CARD_FILE})
_CONTRACT_FIELDS = ("model_name", "task", "signatures", "limits", "serving_target")
_PROOF_FIELDS = ("accepted", "contract", "files")


class ServingError(Exception):
    """One line for the user: what was given, what is allowed, what to do next; with the command's exit code."""

    def __init__(self, message, exit_code=2):
        super().__init__(message)
        self.exit_code = exit_code


def read_contract(version_dir):
    """contract.json of a version as a dict; ServingError where it is absent, unreadable or of a newer major schema."""
    return _read(pathlib.Path(version_dir) / CONTRACT_FILE, _CONTRACT_FIELDS)


def read_proof(version_dir):
    """proof.json of a version as a dict; ServingError as `read_contract`, with exit code 3 where there is none."""
    path = pathlib.Path(version_dir) / PROOF_FILE
    if not path.is_file():
        raise ServingError(
            f"{version_dir}: not proven, it has no {PROOF_FILE}; export it with trainer.main", exit_code=3
        )
    return _read(path, _PROOF_FIELDS)


def check_schema(document, origin):
    """The document itself; ServingError where its schema is of another major than this reader's."""
    given = document.get("schema_version") if isinstance(document, dict) else None
    major = str(given).partition(".")[0]
    if not isinstance(given, str) or not major.isdigit():
        raise ServingError(f"{origin}: schema_version {given!r} is none of ours; {SCHEMA_VERSION} is expected")
    if int(major) > int(SCHEMA_VERSION.partition(".")[0]):
        raise ServingError(
            f"{origin}: schema {given} is newer than {SCHEMA_VERSION}, which this Slipway reads; update it"
        )
    return document


def file_hashes(version_dir):
    """`{path within the version: "sha256:…"}` of every file but proof.json and model_card.md, links refused."""
    root = pathlib.Path(version_dir)
    hashes = {}
    for folder, folders, names in os.walk(root, onerror=_raise):
        folders.sort()
        for name in sorted(names + [each for each in folders if os.path.islink(os.path.join(folder, each))]):
            path = pathlib.Path(folder, name)
            relative = path.relative_to(root).as_posix()
            if path.is_symlink():
                raise ServingError(f"{path}: a link; a version holds plain files only", exit_code=3)
            if relative not in _UNHASHED:
                hashes[relative] = sha256_of(path)
    return hashes


def sha256_of(path):
    """ "sha256:<hex>" of a file's content."""
    with open(path, "rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def check_proven(version_dir):
    """proof.json, where it accepts exactly the files that are there; else ServingError (exit 3) naming the culprit."""
    proof = read_proof(version_dir)
    if proof["accepted"] is not True:
        raise ServingError(f"{version_dir}: its {PROOF_FILE} does not accept it; export it again", exit_code=3)
    if not isinstance(proof["files"], dict) or proof["files"].get(CONTRACT_FILE) != proof["contract"]:
        raise ServingError(
            f"{version_dir}: its {PROOF_FILE} is of another {CONTRACT_FILE}; export it again", exit_code=3
        )
    found = file_hashes(version_dir)
    for path in sorted({*found, *proof["files"]}):
        if found.get(path) != proof["files"].get(path):
            raise ServingError(f"{version_dir}: {path} {_difference(path, found, proof)}; export it again", exit_code=3)
    return proof


def _difference(path, found, proof):
    if path not in found:
        return "was proven but is missing"
    return "is not the file that was proven" if path in proof["files"] else "was not there when it was proven"


def _read(path, fields):
    try:
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ServingError(f"{path}: no such file; give a version folder that trainer.main exported") from None
    except OSError as error:
        raise ServingError(f"{path}: {error.strerror}", exit_code=5) from None
    except ValueError as error:
        raise ServingError(f"{path}: not JSON ({error}); export it again") from None
    check_schema(document, path)
    absent = [field for field in fields if field not in document]
    if absent:
        raise ServingError(f"{path}: {', '.join(absent)} missing; export it again")
    return document


def _raise(error):
    raise ServingError(f"{error.filename}: {error.strerror}", exit_code=5)
