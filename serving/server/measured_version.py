"""A version whose loading, warm-up and runs are counted."""

import functools
import time

from serving.server.status import status_of


class MeasuredVersion:
    """Stands for a serving.loader.ServedVersion, and for whatever else runs as one."""

    def __init__(self, load, metrics, version_dir):
        """Loads the version by load(version_dir); metrics: Metrics."""
        self._metrics, self._path, start = metrics, str(version_dir), time.monotonic()
        try:
            self._version = load(version_dir)
        except Exception:
            metrics.not_loaded(self._path)
            raise
        metrics.loaded(self._path, start)

    def answer(self, signature_name, inputs, outputs):
        """As of ServedVersion."""
        start = time.monotonic()
        found = self._version.answer(signature_name, inputs, outputs)
        self._metrics.ran(start)
        return found

    def run_tensors(self, feeds, names):
        """As of ServedVersion; what is fed are the tf.Examples of a request."""
        start = time.monotonic()
        outputs = self._version.run_tensors(feeds, names)
        self._metrics.ran(start, len(next(iter(feeds.values()))))
        return outputs

    def replay_warmup(self):
        """As of ServedVersion."""
        start = time.monotonic()
        try:
            records = self._version.replay_warmup()
        except Exception as error:
            self._metrics.warmed_up(self._path, start, status_of(error).code.name)
            raise
        if records:
            self._metrics.warmed_up(self._path, start)
        return records

    def __getattr__(self, name):
        return getattr(self._version, name)


def measured(load, metrics):
    """The loading function that counts what load(version_dir) loads."""
    return functools.partial(MeasuredVersion, load, metrics)
