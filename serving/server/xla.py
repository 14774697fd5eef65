"""XLA off, as in the real server unless it is told otherwise: a function with jit_compile=True answers INTERNAL.

Source: main in tensorflow_serving/model_servers/main.cc, whose call of the same library this is.
"""

import ctypes
import pathlib

import tensorflow as tf
from absl import logging

_DISABLE = "_ZN10tensorflow21DisableXlaCompilationEv"  # tensorflow::DisableXlaCompilation()


def disable():
    """Lets no function be compiled in this process any more."""
    for library in sorted(pathlib.Path(tf.sysconfig.get_lib()).glob("libtensorflow_cc.*")):
        try:
            getattr(ctypes.CDLL(str(library)), _DISABLE)()
            return
        except (OSError, AttributeError):
            continue
    logging.warning("this TensorFlow cannot turn XLA off: a function with jit_compile=True runs here, and not there")
