"""KerasHub's side of step_vs_peers: its own BertTextClassifier as fit trains it, under a dtype policy."""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from benchmarks.peers.answering import answer, timed


def classifier(encoder, policy, preprocessor=None, learning_rate=5e-5, labels=2):
    """Compiled keras_hub BertTextClassifier from a Hugging Face folder: AdamW, gradient norm 1."""
    import keras
    import keras_hub

    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(1)
    backbone = keras_hub.models.BertBackbone.from_preset(encoder)
    model = keras_hub.models.BertTextClassifier(backbone, num_classes=labels, preprocessor=preprocessor)
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate, weight_decay=0.01, global_clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return model


def prepare(encoder, policy):
    """Request {batch, length, steps} to {seconds}."""
    from benchmarks.peers.keras_step import step_on

    model = classifier(encoder, policy)

    def reply_to(request):
        step = step_on(model, encoder, request["batch"], request["length"])
        return {"seconds": timed(step, request["steps"], warm_up=1)}

    return reply_to


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--policy", choices=("float32", "mixed_bfloat16"), required=True)
    given = parser.parse_args()
    answer(lambda: prepare(given.encoder, given.policy), ["tensorflow", "keras", "keras-hub"])
