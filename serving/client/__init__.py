"""Asks a model in TensorFlow Serving over gRPC, without TensorFlow.

with Client("localhost:8500", model="reviews") as client:
    client.predict(["a film of rare warmth"])

async with AsyncClient("localhost:8500", model="reviews") as client:
    await client.predict(["a film of rare warmth"])
"""

from .async_client import AsyncClient
from .budget import RetryBudget
from .client import Client
from .errors import SlipwayError
from .keepalive import Keepalive
from .micro_batching import MicroBatching
from .results import (
    Answer,
    Classification,
    Embedding,
    Entity,
    Match,
    Matches,
    Multi,
    MultiLabel,
    Outputs,
    Regression,
    Tagging,
    VersionStatus,
)
from .tls import Tls

__all__ = [
    "Answer",
    "AsyncClient",
    "Classification",
    "Client",
    "Embedding",
    "Entity",
    "Keepalive",
    "Match",
    "Matches",
    "MicroBatching",
    "Multi",
    "MultiLabel",
    "Outputs",
    "Regression",
    "RetryBudget",
    "SlipwayError",
    "Tagging",
    "Tls",
    "VersionStatus",
]
