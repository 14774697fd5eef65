"""The best weights of a workdir as a Hugging Face folder, so that every peer serves the very model that we serve.

    python -m benchmarks.as_transformers OUTPUT --workdir=FOLDER … (flags of trainer.main; the encoder a BERT's folder)

What KerasHub says on the way in, which variable is which Hugging Face tensor, is read backwards.
"""

import json
import pathlib
import shutil
import sys

import numpy as np
from safetensors.numpy import load_file, save_file

from trainer import flags
from trainer.models.encoder import encoder_folder
from trainer.modes import job
from trainer.modes.workdir import open_workdir


class Backwards:
    """Stands where KerasHub's converter expects a loader, and takes each variable instead of filling it."""

    def __init__(self, tensors):
        self.tensors, self.taken = {name.removeprefix("bert."): each for name, each in tensors.items()}, {}

    def get_tensor(self, name):
        return self.tensors[name]

    def port_weight(self, keras_variable, hf_weight_key, hook_fn=None):
        """Kernels are `[in, out]` in Keras, with heads apart, and `[out, in]` in PyTorch; all else differs in shape."""
        value, shape = np.asarray(keras_variable), self.tensors[hf_weight_key].shape
        turned = hook_fn is not None and len(shape) == 2
        own = value.reshape(shape[::-1]).T if turned else value.reshape(shape)
        self.taken[f"bert.{hf_weight_key}"] = np.ascontiguousarray(own)


def tensors_of(model, backbone, folder):
    """{Hugging Face name: array} of a classifier on a BERT backbone that came from `folder`."""
    from keras_hub.src.utils.transformers import convert_bert

    backwards = Backwards(load_file(folder / "model.safetensors"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    convert_bert.convert_weights(backbone, backwards, config)
    kernel, bias = model.get_layer("logits").get_weights()
    return backwards.taken | {"classifier.weight": np.ascontiguousarray(kernel.T), "classifier.bias": bias}


def write(config, output):
    """Makes the folder `output`: config, tokenizer and vocabulary of the encoder, weights of the workdir."""
    folder = encoder_folder(config.model.encoder, config.cache_dir())
    with open_workdir(config) as workdir:
        trained = job.Trained(config, workdir)
        labels = list(trained.task.labels)
    pathlib.Path(output).mkdir(parents=True)
    for path in folder.glob("*"):
        if path.suffix in (".json", ".txt"):
            shutil.copy(path, output)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    names = {"id2label": dict(enumerate(labels)), "label2id": {name: i for i, name in enumerate(labels)}}
    (output / "config.json").write_text(json.dumps(settings | names), encoding="utf-8")
    save_file(tensors_of(trained.model, trained.encoder.backbone, folder), output / "model.safetensors")


if __name__ == "__main__":
    write(flags.parse(sys.argv[2:]), pathlib.Path(sys.argv[1]))
