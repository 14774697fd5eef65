"""How large a request a server takes, where it turns out to be less than the client was told."""

import re

# tensorflow/core/kernels/batching_util/shared_batch_scheduler.h; releases before 2.3 leave "input" out
_TOO_MANY_ROWS = re.compile(r"Task size \d+ is larger than maximum (?:input )?batch size (\d+)")
# grpc/src/core/ext/filters/message_size, and grpc-go, of which proxies are made
_TOO_MANY_BYTES = re.compile(r"received message larger than max \((\d+) vs\. (\d+)\)", re.I)
_SPARE = 1024  # bytes of a request besides its texts, generously


def is_too_large(details):
    """Whether a server's words refuse a request for its size, of which a part may be taken."""
    return bool(_TOO_MANY_ROWS.search(details) or _TOO_MANY_BYTES.search(details))


class Limits:
    """Most `rows` and `bytes` of a request; both only fall."""

    def __init__(self, rows, size):
        self.rows, self.bytes = rows, size

    def learn(self, error, rows, size):
        """Takes in the SlipwayError of a request of `rows` and `size` bytes; whether a smaller one may be taken."""
        many, long = _TOO_MANY_ROWS.search(error.message), _TOO_MANY_BYTES.search(error.message)
        if rows < 2 or not (
            (many and error.code == "INVALID_ARGUMENT") or (long and error.code == "RESOURCE_EXHAUSTED")
        ):
            return False
        if many and 0 < int(many[1]) < rows:
            self.rows = min(self.rows, int(many[1]))
        elif long and int(long[1]) <= size + _SPARE:  # the request: what is refused on the way back is the answer
            self.bytes = min(self.bytes, max(1, int(long[2]) - _SPARE))
        else:
            self.rows = min(self.rows, (rows + 1) // 2)
        return True
