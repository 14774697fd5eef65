"""Versions for tests of serving: real ones that answer in a millisecond, and fake ones that are only files."""

import hashlib
import json
import pathlib

from serving import contract

LABELS = ("negative", "positive")


def fake_version(folder, payload=b"graph", created="2026-01-01T00:00:00Z"):
    """A proven version that nothing can load: enough for publishing."""
    folder = pathlib.Path(folder)
    (folder / "variables").mkdir(parents=True)
    (folder / "assets.extra").mkdir()
    (folder / "saved_model.pb").write_bytes(payload)
    (folder / "variables" / "variables.index").write_bytes(b"index")
    (folder / "assets.extra" / "tf_serving_warmup_requests").write_bytes(b"")
    return with_papers(folder, created)


def real_version(folder, bias=0.0, created="2026-01-01T00:00:00Z"):
    """A proven version: positive where the text is longer than −10·bias characters; score = sigmoid(length/10 + bias).

    Signature `spin` counts to the number that its text is, perhaps 100,000 a second: a request that lasts.
    """
    import tensorflow as tf

    module = tf.Module()
    module.bias = tf.Variable(bias, dtype=tf.float32)
    module.labels = tf.constant(LABELS)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def classify(text):
        positive = tf.sigmoid(tf.cast(tf.strings.length(text), tf.float32) / 10.0 + module.bias)
        probabilities = tf.stack([1.0 - positive, positive], axis=1)
        return {
            "label": tf.gather(module.labels, tf.argmax(probabilities, axis=1)),
            "score": tf.reduce_max(probabilities, axis=1),
            "probabilities": probabilities,
            "truncated": tf.zeros_like(positive, tf.bool),
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def spin(text):
        end = tf.strings.to_number(text[0], tf.int64)
        return {
            "count": tf.reshape(tf.while_loop(lambda i: i < end, lambda i: [i + 1], [tf.constant(0, tf.int64)])[0], [1])
        }

    tf.saved_model.save(module, str(folder), signatures={"serving_default": classify, "spin": spin})
    return with_papers(folder, created)


def with_papers(folder, created="2026-01-01T00:00:00Z"):
    """Adds the contract and a proof of the files as they are; gives the folder."""
    folder = pathlib.Path(folder)
    (folder / contract.CONTRACT_FILE).write_text(json.dumps(_contract(created)))
    (folder / "model_card.md").write_text("# reviews\n")
    proof = {
        "schema_version": "1.0",
        "accepted": True,
        "created": created,
        "contract": _sha256(folder / contract.CONTRACT_FILE),
        "files": contract.file_hashes(folder),
    }
    (folder / contract.PROOF_FILE).write_text(json.dumps(proof))
    return folder


def _contract(created):
    return {
        "schema_version": "1.0",
        "model_name": "reviews",
        "task": "classification",
        "created": created,
        "labels": list(LABELS),
        "limits": {"tokens": 128, "text_bytes": 1048576},
        "serving_target": ["2.19"],
        "signatures": {
            "serving_default": {"method": "predict", "inputs": {"text": {"dtype": "string", "shape": [None]}}}
        },
    }


def _sha256(path):
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
