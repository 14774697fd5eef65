"""AsyncClient behind the face of Client, so that one test body holds both to the same contract."""

import asyncio
import threading

from serving.client import AsyncClient, Client


class Awaited:
    """An AsyncClient in an event loop of its own thread; its calls block, and may come from any thread."""

    def __init__(self, *args, **settings):
        self.client = AsyncClient(*args, **settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, awaitable):
        return asyncio.run_coroutine_threadsafe(awaitable, self._loop).result()

    def close(self):
        self._wait(self.client.close())

    def predict(self, texts, **settings):
        return self._wait(self.client.predict(texts, **settings))

    def raw(self, inputs, **settings):
        return self._wait(self.client.raw(inputs, **settings))

    @property
    def stats(self):
        return self.client.stats

    @property
    def contract(self):
        return self._wait(self.client.contract)

    def status(self, **settings):
        return self._wait(self.client.status(**settings))

    def ready(self, *args):
        return self._wait(self.client.ready(*args))


TWINS = {"Client": Client, "AsyncClient": Awaited}
