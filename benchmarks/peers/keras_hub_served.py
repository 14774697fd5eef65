"""KerasHub's side of serve_vs_peers: what its classifier's own `export` writes, asked as its documentation asks it.

The export takes token ids, padded to the preprocessor's sequence length whatever the texts are; the preprocessor runs
before it, in a graph of its own, which is faster than its eager form.
"""

import argparse
import os
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from benchmarks.peers.answering import answer
from benchmarks.peers.serving_turns import turns


def prepare(folder, length):
    """Exports the classifier of a Hugging Face folder, loads the export, and answers."""
    import keras_hub
    import tensorflow as tf
    from safetensors.numpy import load_file

    from benchmarks.peers.keras_hub_step import classifier

    tokenizer = keras_hub.models.BertTokenizer(f"{folder}/vocab.txt", lowercase=True)
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=length)
    model = classifier(folder, "float32")
    head = load_file(f"{folder}/model.safetensors")
    model.get_layer("logits").set_weights([head["classifier.weight"].T, head["classifier.bias"]])
    with tempfile.TemporaryDirectory() as scratch:
        model.export(scratch, verbose=False)
        served = tf.saved_model.load(scratch)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def tokenise(texts):
        return {name: tf.cast(each, model.input[name].dtype) for name, each in preprocessor(texts).items()}

    def answer_batch(texts):
        return tf.nn.softmax(served.serve(tokenise(tf.constant(texts)))).numpy()

    return turns(answer_batch, lambda texts: tokenise(tf.constant(texts)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--length", type=int, required=True)
    given = parser.parse_args()
    answer(lambda: prepare(given.model, given.length), ["tensorflow", "keras", "keras-hub"])
