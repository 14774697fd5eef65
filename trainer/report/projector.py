"""Vectors of dev texts for TensorBoard's Projector tab."""

import io
import re

import numpy as np
from google.protobuf import text_format
from tensorboard.plugins.projector import ProjectorConfig

CONFIG = "projector_config.pbtxt"  # the name that TensorBoard looks for
_TENSORS, _METADATA = "projector_vectors.tsv", "projector_texts.tsv"
_LONGEST = 200  # characters of a text


def files(vectors, texts, labels, predicted):
    """{file name: content} for a run's folder of TensorBoard; the config, which names the others, is the last.

    Args:
        vectors: `<float>[texts, width]`. texts, labels, predicted: lists of str of that length.
    """
    columns = ("text", "label", "predicted", "correct")
    rows = [
        (text[:_LONGEST], label, given, "yes" if label == given else "no")
        for text, label, given in zip(texts, labels, predicted, strict=True)
    ]
    config = ProjectorConfig()
    config.embeddings.add(tensor_name="dev texts", tensor_path=_TENSORS, metadata_path=_METADATA)
    return {
        _TENSORS: _tensor(vectors),
        _METADATA: "".join("\t".join(map(_cell, row)) + "\n" for row in (columns, *rows)),
        CONFIG: text_format.MessageToString(config),
    }


def _tensor(vectors):
    out = io.StringIO()
    np.savetxt(out, vectors, fmt="%.5g", delimiter="\t")
    return out.getvalue()


def _cell(text):
    """A cell holds no tab and no line break of any kind; an empty one would shift its row."""
    text = re.sub(r"\t", "\\\\t", re.sub(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", "\\\\n", text))
    return re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "\ufffd", text) or " "
