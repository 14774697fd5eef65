"""What can be asked of an exported version: one tf.function per signature, text in and named outputs out."""

import tensorflow as tf
from tensorflow.python.saved_model import signature_constants

CONTRACT_KEY = "contract"
CONTRACT_MARK = "@contract.json@"  # stands in the graph until the contract, which lists the graph's ops, is known
# The signatures that TF Serving's own calls of these names ask, with their method names.
EXAMPLE_METHODS = {
    "classify": signature_constants.CLASSIFY_METHOD_NAME,
    "regress": signature_constants.REGRESS_METHOD_NAME,
}


def endpoints(task, model, preprocessor):
    """`{signature: (function, [TensorSpec, …])}` of a task's version.

    Args:
        task: Task; gives `text_pair`, `respond`, `further`, `example_method`, and `labels` where it classifies.
        model: keras.Model in float32, the encoder's inputs to logits.
        preprocessor: TextPreprocessor.
    """
    names = ("text", "text_pair") if task.text_pair else ("text",)
    texts = [_strings(name) for name in names]
    answer = _answer(task, model, preprocessor)
    found = {
        "serving_default": (answer, texts),
        **{name: (function, texts) for name, function in task.further(model, preprocessor).items()},
        "contract": (_contract, [_strings("key")]),
    }
    if task.example_method == "classify":
        found["classify"] = (_classify(answer, names, task.labels), [_strings("inputs")])
    elif task.example_method == "regress":
        found["regress"] = (_regress(answer, names), [_strings("inputs")])
    return found


def _strings(name):
    return tf.TensorSpec([None], tf.string, name=name)


def _answer(task, model, preprocessor):
    def serving_default(*texts):
        return task.respond(model, preprocessor, *texts)

    return serving_default


def _classify(answer, names, labels):
    """The Classify call of TF Serving: serialized tf.Example `<string>[batch]` with the texts as features."""

    def classify(inputs):
        scores = answer(*_parsed(inputs, names))["probabilities"]
        classes = tf.tile(tf.constant([list(labels)]), [tf.shape(scores)[0], 1])
        return {"classes": classes, "scores": scores}

    return classify


def _regress(answer, names):
    """The Regress call of TF Serving, of the same tf.Example."""

    def regress(inputs):
        return {"outputs": answer(*_parsed(inputs, names))["value"]}

    return regress


def _parsed(examples, names):
    """The texts `<string>[batch]` of each name."""
    features = tf.io.parse_example(examples, {name: tf.io.FixedLenFeature([], tf.string) for name in names})
    return [features[name] for name in names]


def _contract(key):
    """contract.json for the key `contract`, since TF Serving hands out no files; any other key gives nothing.

    It has an input because a signature without one fails under server-side batching.
    """
    return {"value": tf.where(tf.equal(key, CONTRACT_KEY), CONTRACT_MARK, "")}
