"""The run as one line of TensorBoard's HParams tab, so that the workdirs under one logdir compare.

No experiment is declared: TensorBoard then finds the columns by itself and puts those that differ first.
"""

import shutil

import tensorflow as tf
from tensorboard.plugins.hparams import api

_SHOWN = (
    *("learning_rate", "epochs", "batch_size", "encoder", "seed", "data", "sequence_length", "pooling", "dropout"),
    *("label_smoothing", "class_weights", "schedule", "warmup", "weight_decay", "layer_decay", "clip_norm"),
    "gradient_accumulation",
)


def write(folder, name, config, settings, scores, step):
    """Writes the flags that matter and the final scores to `folder`, once: a repeated command adds nothing.

    Args:
        name: str, of the run: two of one name would be taken for repetitions of one trial.
        settings: manifest's "settings", what really ran. scores: {metric: number}. step: of the last evaluation.
    """
    done = folder / ".complete"
    if done.is_file():
        return
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed while it wrote
    flags = config.flat()
    values = {name: flags[name] for name in _SHOWN} | {"precision": settings["precision"]}
    with tf.summary.create_file_writer(str(folder)).as_default():
        api.hparams(values, trial_id=name)
        for name, value in scores.items():
            tf.summary.scalar(name, value, step=step)
    done.touch()
