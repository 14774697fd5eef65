"""The model in the form that a server computes fastest, with the same weights."""


def served_form(task, model, encoder, precision="float32"):
    """keras.Model over real tokens alone in which the weights of `model` stand fast; `model` where there is none.

    precision: as in `Unpadded.freeze`; for encoders without such a form it is checked before, see limits.py.
    """
    faster = encoder.over_real_tokens()
    if faster.unpadded is None:
        return model
    served = task.build(faster)
    served.set_weights(model.get_weights())
    served.get_layer("unpadded").freeze(precision)
    return served
