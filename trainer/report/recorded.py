"""What a run left in its workdir, read for a report: any of it but its results may be missing."""

import dataclasses
import json
import pathlib
from typing import Any

from trainer import flagfile
from trainer.config import UserError

CURVE, PER_CLASS = "curve.json", "per_class.json"


@dataclasses.dataclass(frozen=True)
class Recorded:
    """results, manifest, curve, per_class, doctor, proof, contract: JSON files as dicts, {} where there are none;
    flags: {name: text}; predictions: one dict per judged row, [] where the file holds others."""

    path: pathlib.Path
    flags: dict[str, str]
    results: dict[str, Any]
    manifest: dict[str, Any]
    curve: dict[str, Any]
    per_class: dict[str, Any]
    doctor: dict[str, Any]
    predictions: list
    contract: dict[str, Any]
    proof: dict[str, Any]

    @property
    def judged(self):
        """The split of predictions.jsonl: test, or dev where there is no test."""
        return "test" if "test" in self.results else "dev"

    @property
    def classes(self):
        """Precision, recall, F1 and rows of each label on the judged split, [] where they are not recorded."""
        return self.per_class.get(self.judged, [])

    @property
    def fingerprint(self):
        return self.manifest.get("data", {}).get("fingerprint", "")


def read(path):
    """The Recorded run of a workdir. Raises UserError where nothing was trained, or a file is spoilt."""
    path = pathlib.Path(path)
    if not path.is_dir():
        raise UserError(f"{path}: no such folder; give the workdir of a trained run")
    if not (path / "flags.txt").is_file():
        raise UserError(f"{path} is no workdir: it has no flags.txt; give the --workdir of a run")
    results = _json(path / "results.json")
    if not results.get("dev"):
        raise UserError(f"{path}: nothing was trained here to the end; run --mode=train first")
    version = _version(path, results)
    return Recorded(
        path=path,
        flags=flagfile.values((path / "flags.txt").read_text(encoding="utf-8")),
        results=results,
        manifest=_json(path / "manifest.json"),
        curve=_json(path / CURVE),
        per_class=_json(path / PER_CLASS),
        doctor=_json(path / "doctor.json"),
        predictions=_predictions(path / "predictions.jsonl"),
        contract=_json(version / "contract.json") if version else {},
        proof=_json(version / "proof.json") if version else {},
    )


def _version(path, results):
    """Folder of the exported version; a workdir may have been moved since."""
    name = results.get("export", {}).get("version_dir", "")
    return path / "export" / pathlib.Path(name).name if name else None


def _json(path):
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is no whole JSON file ({error}); run --mode=evaluate to write it anew") from error


def _predictions(path):
    """The rows of predictions.jsonl where it holds those of an evaluation, whose true labels are known."""
    if not path.is_file():
        return []
    found = []
    with open(path, encoding="utf-8") as file:  # no splitlines(): a text may hold U+2028
        for number, line in enumerate(file, 1):
            try:
                found.append(json.loads(line))
            except ValueError as error:
                raise UserError(f"{path}:{number}: no whole JSON; run --mode=evaluate to write it anew") from error
    return found if found and all(any(name.startswith("true_") for name in row) for row in found) else []
