"""WORKDIR/encoder: what pre-training makes, a folder that any task takes by --encoder=."""

import json
import shutil

from data.whole_folder import whole_folder
from trainer.config import UserError
from trainer.models import encoder_files
from trainer.models.encoder import load_encoder
from trainer.modes.workdir import MANIFEST

FOLDER = "encoder"
_SOURCE = "source.json"


def hand_over(config, trained, workdir):
    """Writes the trained encoder whole or not at all, reads it back, and returns what results.json keeps of it.

    Raises UserError where the folder that was read back is not what was written, and then leaves none.
    """
    encoder = trained.task.made(trained.encoder)
    for leftover in workdir.path.glob(f".{FOLDER}-*"):  # of a run that was killed while it wrote
        shutil.rmtree(leftover, ignore_errors=True)
    with whole_folder(workdir / FOLDER, replace=True) as folder:
        encoder_files.write(encoder, folder, trained.model.get_layer("masked").head)
        source = json.dumps(_source(trained, workdir), indent=1, ensure_ascii=False) + "\n"
        (folder / _SOURCE).write_text(source, encoding="utf-8")
        again = load_encoder(str(folder), config.cache_dir(), config.input.sequence_length)
        try:
            encoder_files.check(encoder, again)
        except ValueError as error:
            name = trained.encoder.name
            raise UserError(f"{workdir / FOLDER}: not to be had in the layout of {name}: {error}") from error
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"encoder_dir": str(workdir / FOLDER), "revision": again.revision, "bytes": size}


def rows(found):
    """Table rows of the same."""
    return [("encoder", found["encoder_dir"]), ("size", f"{found['bytes'] / 2**20:.1f} MB")]


def _source(trained, workdir):
    """What later runs say of the encoder: its name, its licence, and from what it was made."""
    encoder = trained.encoder
    return {
        "name": workdir.path.resolve().name,
        "licence": encoder.licence,
        "made_by": f"--task={trained.task.name}",
        "from": {"name": encoder.name, "revision": encoder.revision},
        "step": trained.progress.step,
        "data_fingerprint": trained.data_fingerprint,
        "started": workdir.read(MANIFEST).get("started", ""),
    }
