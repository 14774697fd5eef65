"""A version in this very process, as TensorFlow Serving loads it: what a request costs without any network.

    python -m benchmarks.peers.loaded_version VERSION_DIR

Its requests: {"batches": [[text, …], …]} is answered with the seconds of each batch.
"""

import sys
import time

from benchmarks.peers.answering import answer

_SIGNATURE = "serving_default"


def prepare():
    """Loads the version."""
    from serving.exchange import strings
    from serving.loader import ServedVersion

    version = ServedVersion(sys.argv[1])
    version.replay_warmup()

    def seconds(texts):
        inputs = {"text": strings(texts)}
        start = time.perf_counter()
        version.run(_SIGNATURE, inputs)
        return time.perf_counter() - start

    return lambda request: {"seconds": [seconds(texts) for texts in request["batches"]]}


if __name__ == "__main__":
    answer(prepare, ("tensorflow", "numpy"))
