"""The head that names masked tokens, as Hugging Face folders hold it beside the encoder."""

import numpy as np

from trainer.models.hugging_face import Weights, tensor_names

# Of each model_type: dense layer, layer norm and bias of the projection, which is the embedding itself.
_NAMES = {
    "bert": ("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias"),
    "distilbert": ("vocab_transform", "vocab_layer_norm", "vocab_projector.bias"),
    "roberta": ("lm_head.dense", "lm_head.layer_norm", "lm_head.bias"),
    "xlm-roberta": ("lm_head.dense", "lm_head.layer_norm", "lm_head.bias"),
    "albert": ("predictions.dense", "predictions.LayerNorm", "predictions.bias"),
}


def arrays(head, config):
    """{Hugging Face name: `<float32>` array} of a built MaskedLMHead; {} for a kind of model without names for it."""
    values = {name: (variable.numpy(), turned) for name, (variable, turned) in _variables(head, config).items()}
    return {name: value.T if turned else value for name, (value, turned) in values.items()}


def load(head, folder, config):
    """Puts the folder's head into a built MaskedLMHead, where it has all of one; returns whether it has."""
    variables = _variables(head, config)
    if not variables or not variables.keys() <= tensor_names(folder):
        return False
    with Weights(folder) as weights:
        for name, (variable, turned) in variables.items():
            array = np.asarray(weights.get_tensor(name), np.float32)
            variable.assign(array.T if turned else array)
    return True


def _variables(head, config):
    """{name: (variable, whether its matrix is transposed there)}."""
    if config.get("model_type") not in _NAMES:
        return {}
    dense, norm, bias = _NAMES[config["model_type"]]
    return {
        f"{dense}.weight": (head._intermediate_dense.kernel, True),
        f"{dense}.bias": (head._intermediate_dense.bias, False),
        f"{norm}.weight": (head._intermediate_layer_norm.gamma, False),
        f"{norm}.bias": (head._intermediate_layer_norm.beta, False),
        bias: (head._bias, False),
    }
