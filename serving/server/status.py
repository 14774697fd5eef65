"""A status as TensorFlow Serving answers it: a gRPC code and one message."""

import grpc
from absl import logging
from google.protobuf.message import DecodeError

_MESSAGE_LIMIT = 1024  # tensorflow_serving/model_servers/grpc_status_util.cc; a longer one overflows gRPC's trailers
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class StatusError(Exception):
    """The answer to a request that cannot be answered: `code` (grpc.StatusCode) and `message`."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message if len(message) <= _MESSAGE_LIMIT else message[:_MESSAGE_LIMIT] + "...TRUNCATED"


def invalid(message):
    """INVALID_ARGUMENT, the commonest answer to a wrong request."""
    return StatusError(grpc.StatusCode.INVALID_ARGUMENT, message)


def status_of(error):
    """The StatusError for whatever a graph or its loading raised; TensorFlow's codes are gRPC's."""
    if isinstance(error, StatusError):
        return error
    for cause in (error, error.__cause__, error.__context__):
        if isinstance(cause, FileNotFoundError):
            return StatusError(grpc.StatusCode.NOT_FOUND, str(error))
        if isinstance(cause, DecodeError):  # a graph that ends too early: the reader there has met the file's end
            return StatusError(grpc.StatusCode.OUT_OF_RANGE, str(error))
        if hasattr(cause, "error_code"):  # tf.errors.OpError, named without importing TensorFlow
            return StatusError(
                _CODES.get(cause.error_code, grpc.StatusCode.UNKNOWN), getattr(_raw(error), "message", str(error))
            )
    if isinstance(error, UnicodeDecodeError):  # the session's words hold the request's bytes, and Python loses its code
        return invalid(error.object.decode(errors="replace"))
    if isinstance(error, (ValueError, TypeError)):
        return invalid(str(error))
    return StatusError(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")


def logged(error):
    """status_of(error), with its traceback in the log where it is not the caller's doing; for an except clause."""
    status = status_of(error)
    if status.code == grpc.StatusCode.INTERNAL and error is not status:
        logging.error("a request failed: %s", status.message, exc_info=True)
    return status


def _raw(error):
    """The error in the words of TensorFlow's C++: the Python session raises it anew, with a traceback of the graph."""
    return error.__context__ if type(error.__context__) is type(error) else error
