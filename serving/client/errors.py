"""The one exception of the client: what failed, where, and what to do next, in one line."""

# What each gRPC status means to the caller and what to do. The server's own words follow.
_MEANING = {
    "UNAVAILABLE": "no server answers there, or it went away; is the address right and the server running? "
    "Slipway starts one with: python -m serving.server --model_base_path=FOLDER",
    "DEADLINE_EXCEEDED": "no answer within {seconds:g} s; give a longer deadline, or fewer texts; "
    "where not even one text is answered, check the address and the server's log",
    "CANCELLED": "the call was cut off; the server is stopping, or this client was closed",
    "RESOURCE_EXHAUSTED": "the server has more work than it takes; ask again later, "
    "or raise its --grpc_max_threads (256 carries hundreds of clients)",
    "NOT_FOUND": "the server has no such model or version; compare the name with the server's --model_name "
    "and the version with what `python -m serving.client --status` lists",
    "INVALID_ARGUMENT": "the server refused the request; compare signature, label and inputs with "
    "`python -m serving.client --contract`",
    "FAILED_PRECONDITION": "the server refused the request; compare signature and label with "
    "`python -m serving.client --contract`",
    "UNIMPLEMENTED": "what listens there is no TensorFlow Serving gRPC port (8500 unless changed; 8501 is REST)",
    "UNAUTHENTICATED": "the server wants credentials",
    "PERMISSION_DENIED": "the server does not let this caller in",
}
_MEANING_OVER_REST = _MEANING | {
    "UNIMPLEMENTED": "what listens there is no TensorFlow Serving REST port (8501 unless changed; 8500 is gRPC, which "
    "HOST:PORT without http:// asks)",
}
_OTHERWISE = "the call failed in the server; its log says why"
_RETRYABLE = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED"}
_USERS_MISTAKE = {
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "FAILED_PRECONDITION",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
}
_LONGEST_DETAIL = 300


class SlipwayError(Exception):
    """A call that brought no answer.

    code: name of the gRPC status ("UNAVAILABLE"). model, address: who was asked.
    retryable: the same call may succeed later.
    """

    def __init__(self, message, code, model, address, retryable=None):
        retryable = code in _RETRYABLE if retryable is None else retryable
        super().__init__(message, code, model, address, retryable)  # all of them, so that it pickles
        self.message, self.code, self.model, self.address, self.retryable = self.args

    def __str__(self):
        return self.message

    @property
    def exit_code(self):
        """Of a command that ends by this error: 2 the user's mistake, 4 no server that answers."""
        return 2 if self.code in _USERS_MISTAKE else 4


def one_line(text, longest=_LONGEST_DETAIL):
    """`text` in one line of printable characters, cut where it is long."""
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def refused(message, model, address, code="INVALID_ARGUMENT"):
    """The SlipwayError of something that the client itself finds wrong."""
    return SlipwayError(f"model '{model}' at {address}: {code}: {message}", code, model, address)


def call_failed(code, details, model, address, *, seconds, attempts=1, found=None, over_rest=False):
    """The SlipwayError of a call that ended with gRPC status `code`, having had `seconds` for all its attempts.

    over_rest: it was no gRPC call. found: handshake.Diagnosis, which knows better than the code.
    """
    known = _MEANING_OVER_REST if over_rest else _MEANING
    meaning = found.meaning if found else known.get(code, _OTHERWISE).format(seconds=seconds)
    tries = f" after {attempts} attempts" if attempts > 1 else ""
    said = f" ({'REST' if over_rest else 'gRPC'}: {one_line(details)})" if details else ""
    message = f"model '{model}' at {address}: {code}{tries}: {meaning}{said}"
    return SlipwayError(message, code, model, address, False if found and found.certain else None)
