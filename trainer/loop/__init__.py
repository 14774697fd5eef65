"""The training loop: plain `keras.Model.fit` with one optimizer and a handful of callbacks."""
