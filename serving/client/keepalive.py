"""Pings on a connection, by which a peer that vanished without a word is found out."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Keepalive:
    """A ping after `seconds` without traffic, and a connection given up where nothing is acknowledged for `timeout`.

    On Linux the timeout holds for what is sent too (TCP_USER_TIMEOUT), so that a call to a dead peer is tried again
    within its deadline. A stock server takes a ping every 5 minutes, and none of a connection without calls: it answers
    more of them with GOAWAY "too_many_pings". Ask for more, or for `idle` ones, only of a server that allows them
    (grpc.http2.min_ping_interval_without_data_ms, grpc.keepalive_permit_without_calls).
    Source: grpc/doc/keepalive.md.
    """

    seconds: float = 330.0
    timeout: float = 5.0
    idle: bool = False

    def __post_init__(self):
        if not (0 < self.seconds < float("inf") and 0 < self.timeout < float("inf")):
            raise ValueError(f"keepalive takes positive seconds, not {self.seconds} and a timeout of {self.timeout}")

    @property
    def options(self):
        """Channel arguments."""
        return [
            ("grpc.keepalive_time_ms", round(self.seconds * 1000)),
            ("grpc.keepalive_timeout_ms", round(self.timeout * 1000)),
            ("grpc.keepalive_permit_without_calls", int(self.idle)),
        ]
