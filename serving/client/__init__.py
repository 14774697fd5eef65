"""Asks a model in TensorFlow Serving over gRPC, without TensorFlow.

with Client("localhost:8500", model="reviews") as client:
    client.predict(["a film of rare warmth"])
"""

from .client import Client
from .errors import SlipwayError
from .results import Classification, Outputs, VersionStatus

__all__ = ["Classification", "Client", "Outputs", "SlipwayError", "VersionStatus"]
