"""The backbone of a local Hugging Face folder: KerasHub's converters, and what they get wrong mended."""

import functools
import importlib
import json

import keras
import keras_hub
from keras_hub.src.utils.transformers.safetensor_utils import SafetensorLoader

_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"
_GELU = {
    "gelu": functools.partial(keras.activations.gelu, approximate=False),
    "gelu_new": functools.partial(keras.activations.gelu, approximate=True),
    "gelu_pytorch_tanh": functools.partial(keras.activations.gelu, approximate=True),
}


def load_backbone(folder, config, weights=True):
    """keras_hub Backbone with the folder's weights.

    Args:
        folder: pathlib.Path with config.json, whose content is `config`, and safetensors.
        weights: whether they are read; else they are as KerasHub draws them.

    Raises:
        ValueError, SafetensorError: a kind of model that KerasHub does not know, or weights that do not fit it.
    """
    backbone = keras_hub.models.Backbone.from_preset(str(folder), load_weights=False)
    if weights:
        with Weights(folder) as found:
            converter(config).convert_weights(backbone, found, config)
    if config["model_type"] == "bert":
        _set_activation(backbone, activation_of(config))
    return backbone


def converter(config):
    """KerasHub's module that brings the weights of such a folder into a backbone."""
    kind = config["model_type"].replace("-", "_")
    return importlib.import_module(f"keras_hub.src.utils.transformers.convert_{kind}")


def tensor_names(folder):
    """Names of all tensors in the folder's safetensors, one file or several."""
    if (folder / _INDEX).is_file():
        return set(json.loads((folder / _INDEX).read_text())["weight_map"])
    with open(folder / _WEIGHTS, "rb") as file:
        return set(json.loads(file.read(int.from_bytes(file.read(8), "little"))))


class Weights(SafetensorLoader):
    """Finds tensors under the name of the bare model too, and does without a pooler.

    A converter asks for `roberta.encoder…`, as RobertaForMaskedLM saves it; RobertaModel saves `encoder…`. Models that
    were trained on masked words only have no pooler.
    """

    def __init__(self, folder):
        super().__init__(str(folder))
        self._names = tensor_names(folder)

    def get_tensor(self, hf_weight_key):
        bare = hf_weight_key.partition(".")[2]
        use_bare = hf_weight_key not in self._names and bare in self._names
        return super().get_tensor(bare if use_bare else hf_weight_key)

    def port_weight(self, keras_variable, hf_weight_key, hook_fn=None):
        pooler = hf_weight_key.partition("pooler.")[2]
        if not pooler or any(name.endswith(f"pooler.{pooler}") for name in self._names):
            super().port_weight(keras_variable, hf_weight_key, hook_fn)


def activation_of(config):
    """The activation that a config.json names, GELU where it names none. Raises ValueError for one not known."""
    name = config.get("hidden_act", config.get("activation", "gelu"))
    if name not in _GELU:
        raise ValueError(f"config.json names the activation {name!r}; allowed are {', '.join(_GELU)}")
    return _GELU[name]


def _set_activation(backbone, activation):
    """KerasHub's BERT always has Google's approximation of GELU; nearly all folders were trained with the exact one."""
    for i in range(backbone.num_layers):
        backbone.get_layer(f"transformer_layer_{i}")._feedforward_intermediate_dense.activation = activation
