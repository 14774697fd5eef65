"""Writes an encoder as a folder that `load_encoder` reads back bit for bit: Hugging Face's layout, or KerasHub's.

The layout is that of the folder from which the encoder came; a preset becomes a KerasHub folder. Weights go the way of
KerasHub's own converter backwards, so that there is no second list of their names.
"""

import json
import math
import shutil

import keras_hub
import numpy as np
import safetensors.numpy

from trainer.models import head_files
from trainer.models.hugging_face import Weights, converter

_KEPT = (
    *("config.json", "vocab.txt", "vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json"),
    *("special_tokens_map.json", "sentencepiece.bpe.model", "spiece.model", "LICENSE"),
)
_PREFIX = {"bert": "bert.", "distilbert": "distilbert.", "roberta": "roberta.", "xlm-roberta": "roberta."}


def write(encoder, folder, head=None):
    """Fills an empty folder with the weights that the backbone has now, its tokenizer and its licence.

    Args:
        encoder: Encoder, as `load_encoder` gave it. folder: pathlib.Path. head: built MaskedLMHead that goes with it in
            Hugging Face's layout, so that pre-training can go on; None for none.
    """
    source = encoder.folder
    config = json.loads((source / "config.json").read_text()) if source else {}
    for name in _KEPT if "model_type" in config else ("LICENSE",):
        if source and (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    if "model_type" in config:
        _write_hugging_face(encoder, config, folder, head)
    else:
        encoder.backbone.save_to_preset(str(folder))
        keras_hub.models.Tokenizer.from_preset(str(source or encoder.name)).save_to_preset(str(folder))


def _write_hugging_face(encoder, config, folder, head):
    prefix = _PREFIX.get(config["model_type"], config["model_type"] + ".")
    with _Backwards(encoder) as backwards:
        converter(config).convert_weights(encoder.backbone, backwards, config)
    found = {prefix + name.removeprefix(prefix): array for name, array in backwards.arrays.items()}
    found |= head_files.arrays(head, config) if head is not None else {}
    found = {name: np.ascontiguousarray(array, np.float32) for name, array in found.items()}
    # not save_file, whose file nobody but its owner may read
    (folder / "model.safetensors").write_bytes(safetensors.numpy.save(found, {"format": "pt"}))


class _Backwards(Weights):
    """What a converter takes for the weights of a folder: it collects in `arrays` what would have to stand there.

    The hooks that turn, flatten and cut a tensor do the same to the numbers of its places, which tells where each
    weight of the backbone belongs.
    """

    def __init__(self, encoder):
        self._from_scratch = encoder.drawn and not any(encoder.folder.glob("model.safetensors*"))
        if self._from_scratch:
            super(Weights, self).__init__(str(encoder.folder))
            self._names = set()
        else:
            super().__init__(encoder.folder)
        self._pools, self.arrays = encoder.has_pooler, {}

    def get_tensor(self, name):
        """What a converter asks for itself, as XLM-R's only row of segments, which KerasHub adds to the positions: 0.

        Raises KeyError for a name that is not there, by which converters tell old folders from new ones.
        """
        self.arrays[name] = np.zeros_like(self._tensor(name))
        return self.arrays[name]

    def port_weight(self, keras_variable, hf_weight_key, hook_fn=None):
        if "pooler." in hf_weight_key and not self._pools:
            return  # one that has learned nothing: whoever takes the encoder should not stand on it
        array = self._shaped(keras_variable, hf_weight_key, hook_fn).astype(np.float32)
        places = np.arange(array.size).reshape(array.shape)
        if hook_fn:
            places = hook_fn(places, list(keras_variable.shape))
        array.reshape(-1)[np.ravel(places)] = keras_variable.numpy().ravel()
        self.arrays[hf_weight_key] = array

    def _knows(self, name):
        """Whether the folder holds a tensor of this name; a pooler may be new to it."""
        pooler = name.partition("pooler.")[2]
        return not pooler or any(known.endswith(f"pooler.{pooler}") for known in self._names)

    def _tensor(self, name):
        if self._from_scratch:
            raise KeyError(name)
        return super().get_tensor(name)

    def _shaped(self, variable, name, hook):
        """An array of the tensor's shape in Hugging Face's layout."""
        if not self._from_scratch and self._knows(name):
            return np.array(self._tensor(name))
        shape = tuple(variable.shape)
        if hook and name.endswith("bias"):
            shape = (math.prod(shape),)
        elif hook and len(shape) == 3:  # query, key and value, or what they are joined by: both as wide as the vectors
            shape = (math.isqrt(math.prod(shape)),) * 2
        elif hook:
            shape = shape[::-1]
        return np.zeros(shape, np.float32)


def check(encoder, other):
    """Raises ValueError where an encoder that was read back is not the one that was written."""
    if other.preprocessor.fingerprint != encoder.preprocessor.fingerprint:
        raise ValueError("the tokenizer is another one")
    for variable, again in zip(_learned(encoder), _learned(other), strict=True):
        if not np.array_equal(variable.numpy(), again.numpy()):
            raise ValueError(f"{variable.path} differs")


def _learned(encoder):
    """The backbone's weights, its pooler's only where that is one."""
    return [v for v in encoder.backbone.weights if encoder.has_pooler or "pooled_dense" not in v.path]
