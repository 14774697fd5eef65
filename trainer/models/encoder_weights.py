"""The weights of a BERT-like backbone of KerasHub as plain matrices, for whoever computes with them otherwise."""

import dataclasses
import math
from typing import Any

import keras_hub
import tensorflow as tf

_BACKBONES = (
    keras_hub.models.BertBackbone,
    keras_hub.models.DistilBertBackbone,
    keras_hub.models.RobertaBackbone,  # XLM-R's is one
)


def is_known(backbone):
    """Whether the backbone is of a kind that `weights_of` can read: post-norm transformer layers, nothing else."""
    return isinstance(backbone, _BACKBONES)


@dataclasses.dataclass
class Norm:
    """gamma, beta `<float32>[hidden]` and epsilon of a layer norm."""

    gamma: Any
    beta: Any
    epsilon: float


@dataclasses.dataclass
class LayerWeights:
    """Weights of one transformer layer; each kernel is `<float32>[in, out]`, each bias `<float32>[out]`.

    projection: of query, key and value side by side, the query's already divided by √(width of a head).
    """

    projection: Any
    projection_bias: Any
    attended: Any
    attended_bias: Any
    attention_norm: Norm
    widening: Any
    widening_bias: Any
    activation: Any
    narrowing: Any
    narrowing_bias: Any
    output_norm: Norm


@dataclasses.dataclass
class EncoderWeights:
    """All weights of an encoder. tokens, positions, segments: embedding tables, the last None where it has none."""

    tokens: Any
    positions: Any
    segments: Any
    norm: Norm
    layers: list[LayerWeights]
    heads: int
    pooler: tuple[Any, Any] | None


def weights_of(backbone):
    """EncoderWeights as tensors that depend on the backbone's variables, in whatever graph this runs."""
    embeddings = getattr(backbone, "embeddings", backbone)  # BERT's backbone holds the tables itself
    pooler = getattr(backbone, "pooled_dense", None)
    segments = getattr(backbone, "segment_embedding", None)
    return EncoderWeights(
        tokens=_value(embeddings.token_embedding.embeddings),
        positions=_value(embeddings.position_embedding.position_embeddings),
        segments=segments and _value(segments.embeddings),
        norm=_norm_of(backbone.embeddings_layer_norm),
        layers=[_layer_weights(layer) for layer in backbone.transformer_layers],
        heads=backbone.num_heads,
        pooler=pooler and (_value(pooler.kernel), _value(pooler.bias)),
    )


def _layer_weights(layer):
    attention = layer._self_attention_layer
    parts = (attention._query_dense, attention._key_dense, attention._value_dense)
    scales = (1 / math.sqrt(attention._key_dim), 1.0, 1.0)
    hidden = parts[0].kernel.shape[0]
    kernels = [_flat(part.kernel, [hidden, -1]) * scale for part, scale in zip(parts, scales, strict=True)]
    biases = [_flat(part.bias, [-1]) * scale for part, scale in zip(parts, scales, strict=True)]
    return LayerWeights(
        projection=tf.concat(kernels, axis=1),
        projection_bias=tf.concat(biases, axis=0),
        attended=_flat(attention._output_dense.kernel, [-1, hidden]),
        attended_bias=_value(attention._output_dense.bias),
        attention_norm=_norm_of(layer._self_attention_layer_norm),
        widening=_value(layer._feedforward_intermediate_dense.kernel),
        widening_bias=_value(layer._feedforward_intermediate_dense.bias),
        activation=layer._feedforward_intermediate_dense.activation,
        narrowing=_value(layer._feedforward_output_dense.kernel),
        narrowing_bias=_value(layer._feedforward_output_dense.bias),
        output_norm=_norm_of(layer._feedforward_layer_norm),
    )


def _norm_of(layer):
    return Norm(_value(layer.gamma), _value(layer.beta), layer.epsilon)


def _value(variable):
    return tf.convert_to_tensor(variable)


def _flat(variable, shape):
    return tf.reshape(_value(variable), shape)


def bytes_of(value):
    """Bytes of all tensors in EncoderWeights or a part of them."""
    if isinstance(value, tf.Tensor):
        return value.shape.num_elements() * value.dtype.size
    if isinstance(value, (list, tuple)):
        return sum(map(bytes_of, value))
    if dataclasses.is_dataclass(value):
        return sum(bytes_of(getattr(value, field.name)) for field in dataclasses.fields(value))
    return 0


def as_variables(value):
    """EncoderWeights, or a part of them, with a tf.Variable in place of each tensor."""
    if isinstance(value, tf.Tensor):
        return tf.Variable(value, trainable=False)
    if isinstance(value, (list, tuple)):
        return type(value)(as_variables(part) for part in value)
    if dataclasses.is_dataclass(value):
        parts = {field.name: as_variables(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **parts)
    return value
