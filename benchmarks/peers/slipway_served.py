"""Our side of serve_vs_peers: an exported version in the v1 Session of serving.loader, as TF Serving loads it."""

import argparse
import pathlib

from benchmarks.peers.answering import answer
from benchmarks.peers.serving_turns import turns


def prepare(version_dir, mixed_precision, encoder, length):
    """Answers come in the order of contract.json's labels."""
    from serving.exchange import strings
    from serving.loader import ServedVersion

    version = ServedVersion(version_dir, mixed_precision=mixed_precision)

    def answer_batch(texts):
        return version.run("serving_default", {"text": strings(texts)})["probabilities"]

    tokenise = preprocessing(encoder, length)
    return turns(answer_batch, lambda texts: tokenise(strings(texts)))


def preprocessing(encoder, length):
    """What the version's graph does before its encoder, as a graph of its own: a session runs a signature whole."""
    import tensorflow as tf

    from trainer.models import tokenizers
    from trainer.models.preprocessor import TextPreprocessor

    tokenizer, special = tokenizers.load(encoder, pathlib.Path(encoder))
    preprocess = TextPreprocessor(tokenizer, special, length, ("token_ids", "padding_mask", "segment_ids"))
    preprocess(tf.constant(["text"]))  # its tables are made on the first call, outside of any graph
    text = tf.TensorSpec([None], tf.string)
    return tf.function(lambda texts: preprocess(texts)[0], input_signature=[text], autograph=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version_dir", required=True)
    parser.add_argument("--mixed_precision", action="store_true", help="as TF Serving's --mixed_precision=bfloat16")
    parser.add_argument("--encoder", required=True, help="Hugging Face folder of the version's encoder")
    parser.add_argument("--length", type=int, required=True)
    given = parser.parse_args()
    words = (given.version_dir, given.mixed_precision, given.encoder, given.length)
    answer(lambda: prepare(*words), ["tensorflow", "tensorflow-text"])
