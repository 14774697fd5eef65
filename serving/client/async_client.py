"""The client of programs that do other work while they wait: asyncio."""

from .asking import Asking
from .bearer import bearer_of
from .event_loop import EventLoopChannel
from .targets import addresses_of
from .tls import security_of


class AsyncClient:
    """The asyncio twin of `Client`: the same arguments, results and errors, awaited.

    Tasks may share a client, and so may event loops, at once or one after another: each has a connection of its own.
    max_in_flight: most requests of one `predict` that are under way at once. Cancelling a task cancels its requests.
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
        max_in_flight=4,
        tls=None,
        credentials=None,
        token=None,
        token_in_clear=False,
        keepalive=None,
        retry_budget=None,
        micro_batching=None,
    ):
        if max_in_flight < 1:
            raise ValueError(f"max_in_flight must be 1 or more, not {max_in_flight}")
        self.target, self.model, self.deadline = target, model, deadline
        security = security_of(tls, credentials)
        bearer = bearer_of(token, addresses_of(target), security.credentials is not None, token_in_clear)
        self._channel = EventLoopChannel(
            target, model, security, max_in_flight, bearer=bearer, keepalive=keepalive, retry_budget=retry_budget
        )
        self._asking = Asking(self._channel, version, label, deadline, max_batch_size, micro_batching)
        self.stats = self._channel.stats

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def close(self):
        """Ends this client for all event loops; this loop's calls under way are cut off, its connection given back."""
        await self._channel.close()

    async def predict(self, texts, *, text_pairs=None, signature=None, deadline=None):
        """Results of `texts` in their order, as `Client.predict` gives them; the first request that fails ends all."""
        return await self._asking.predict(texts, text_pairs, signature, deadline)

    async def raw(self, inputs, *, signature=None, deadline=None):
        """Output arrays of any signature, as of `Client.raw`."""
        return await self._asking.raw(inputs, signature, deadline)

    @property
    def contract(self):
        """`await client.contract` is the model's contract.json as a dict; {} for one that Slipway did not make."""
        return self._asking.contract()

    async def status(self, *, deadline=None):
        """VersionStatus of every version, as of `Client.status`."""
        return await self._asking.status(deadline)

    async def ready(self, timeout=1.0):
        """Whether the model can be asked within `timeout` seconds, as of `Client.ready`."""
        return await self._asking.ready(timeout)
