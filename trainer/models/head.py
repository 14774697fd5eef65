"""The layers between an encoder's vectors and logits."""

import keras


def head(vectors, outputs, dropout, first_logit=0.0, prefix=""):
    """Symbolic vectors `<float>[…, hidden]` to logits `<float32>[…, outputs]`.

    first_logit: float, what a head that has learned nothing gives. prefix: of the layers' names.
    """
    dropped = keras.layers.Dropout(dropout, name=f"{prefix}head_dropout", dtype="float32")(vectors)
    return keras.layers.Dense(
        outputs,
        # As the reference draws it: a truncated normal would be 12 % narrower.
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
        bias_initializer=keras.initializers.Constant(first_logit),
        name=f"{prefix}logits",
        dtype="float32",  # the softmax of a bfloat16 logit loses three digits
    )(dropped)
