"""The client of programs that wait for their answers."""

from .asking import Asking
from .bearer import bearer_of
from .blocking import BlockingChannel, run
from .targets import addresses_of
from .tls import security_of


class Client:
    """One model at one server or several. Threads may share a client; close it, or use it as a context manager.

    target: "HOST:PORT" of the gRPC port, or several, "a:8500,b:8500" or a list: calls go to those that answer in turn, and
    one that fails at a target is tried at another. model: its name there. version or label: which one answers, else the
    newest. deadline: seconds for each request with all its tries, unless a call is given a deadline of its own.
    max_batch_size: most texts in one request; a server that takes fewer is asked in smaller ones from then on.
    tls: True for a TLS port with a public certificate, or a `Tls`; credentials: instead of it, any
    grpc.ChannelCredentials. token: a str, or a callable that gives one at each try, sent as `authorization: Bearer …`;
    token_in_clear: also without TLS to another machine. keepalive: a `Keepalive`. retry_budget: a `RetryBudget`.
    micro_batching: a `MicroBatching`, by which calls that come at once share requests. stats: counts of all calls.
    """

    def __init__(
        self,
        target,
        model,
        *,
        version=None,
        label=None,
        deadline=10.0,
        max_batch_size=64,
        tls=None,
        credentials=None,
        token=None,
        token_in_clear=False,
        keepalive=None,
        retry_budget=None,
        micro_batching=None,
    ):
        self.target, self.model, self.deadline = target, model, deadline
        security = security_of(tls, credentials)
        bearer = bearer_of(token, addresses_of(target), security.credentials is not None, token_in_clear)
        self._channel = BlockingChannel(
            target, model, security, bearer=bearer, keepalive=keepalive, retry_budget=retry_budget
        )
        self._asking = Asking(self._channel, version, label, deadline, max_batch_size, micro_batching)
        self.stats = self._channel.stats

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Gives back the connection; calls under way are cut off."""
        self._channel.close()

    def predict(self, texts, *, text_pairs=None, signature=None, deadline=None):
        """Results of `texts` in their order: a list for a list, [] for [], one result for one str.

        The default signature of a classification model gives `Classification`, everything else `Outputs`. Many texts go
        in several requests; a `deadline` given here is for all of them together. An empty text is asked like any other;
        a lone surrogate goes as U+FFFD.
        Raises TypeError for what is not str, ValueError for pairs of another number, SlipwayError where no answer came.
        """
        return run(self._asking.predict(texts, text_pairs, signature, deadline))

    def raw(self, inputs, *, signature=None, deadline=None):
        """Output arrays of any signature for input arrays or lists, in one request; strings come back as bytes.

        Python floats go as float32 and ints as int32; arrays keep their dtype.
        """
        return run(self._asking.raw(inputs, signature, deadline))

    @property
    def contract(self):
        """The model's contract.json as a dict; {} for a model that Slipway did not make."""
        return run(self._asking.contract())

    def status(self, *, deadline=None):
        """VersionStatus of every version that the server knows (of the one asked for, with `version`), newest first."""
        return run(self._asking.status(deadline))

    def ready(self, timeout=1.0):
        """Waits up to `timeout` seconds until the model (its version or label) can be asked; looks once at least.

        Raises SlipwayError only for what waiting does not mend, such as a port that is not TensorFlow Serving's or a
        certificate that is not trusted.
        """
        return run(self._asking.ready(timeout))
