"""Logits of every row of a split, and what the task makes of them."""

import keras


class Evaluator:
    """Runs a model over tokenized rows without losing or repeating any.

    It compiles anew: made inside `Accelerator.training()` it computes in the precision of training, made outside in
    float32.

    Args:
        model: keras.Model, the encoder's inputs to logits.
        kind: "pools" or "buckets"; batch_size: rows per batch.
    """

    def __init__(self, model, kind, batch_size):
        self.model, self.kind, self.batch_size = model, kind, batch_size
        self.model.make_predict_function(force=True)

    def logits(self, rows, progress=None):
        """trainer.inputs.pipeline.Rows to `<float32>[rows, outputs]`, in the order of the rows."""
        dataset, order = rows.evaluation(self.kind, self.batch_size)
        done = keras.callbacks.LambdaCallback()
        if progress:
            done.on_predict_batch_end = lambda batch, logs=None: progress(
                min((batch + 1) * self.batch_size, len(order))
            )
        found = self.model.predict(dataset, verbose=0, callbacks=[done])[: len(order)]
        out = found.copy()
        out[order] = found
        return out


def evaluate(evaluator, rows, task, progress=None):
    """{metric: float} of a split, by the task's own `score`."""
    return task.score(evaluator.logits(rows, progress), rows.targets)
