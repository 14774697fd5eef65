"""A training run over one file, as far as its rows go: read, split, looked at, tokenized, read to the end, some steps.

    python -m benchmarks.peers.rows_run FILE ENCODER CACHE

Its requests: {"steps": n} takes the next n steps and replies with their seconds and tokens; {"memory": true} replies
with what the rows took so far: {stage: {"seconds", "MB" resident after it}}, and the peak.
"""

import sys
import time

from benchmarks.peers.answering import answer


def prepare():
    """Does all that comes before the first step."""
    from trainer import allocator

    allocator.keep_memory()  # as trainer.main does, before TensorFlow has threads

    from data.doctor import at_start
    from trainer.config import Config
    from trainer.loop import accelerator as accelerators
    from trainer.loop.fit import Run, compiled, plan_steps
    from trainer.modes import job
    from trainer.modes.rows import make_rows

    file, encoder, cache = sys.argv[1:]
    config = Config.from_flat({"data": file, "encoder": encoder, "cache_dir": cache})
    stages = Stages()
    corpus = stages.timed("read, split", lambda: job.read_corpus(config))
    stages.timed("doctor", lambda: at_start.look(config, corpus.splits))
    accelerator = accelerators.choose(config)
    with accelerator.training():
        accelerator, encoder = stages.timed(
            "encoder", lambda: accelerator.with_encoder(job.open_encoder(config), config)
        )
    kind, size, seed = accelerator.batching, config.input.batch_size, config.run.seed
    task, table = job.make_task(config, corpus.learned), corpus.splits.train
    given = (config, task, encoder.preprocessor, table, "train")
    train = stages.timed("tokenize", lambda: make_rows(*given))
    epoch = train.training(kind, size, seed, len(train.epoch(kind, size, seed, 0)))
    stages.timed("batches", lambda: sum(1 for _ in epoch))
    with accelerator.training():
        run = Run(config, task, train, None, encoder, accelerator, None)
        model = compiled(run, plan_steps(config, len(train)))
    batches = iter(train.training(kind, size, seed, sys.maxsize))

    def reply_to(request):
        if "memory" in request:
            return {"stages": stages.found, "peak": megabytes("VmHWM"), "rows": len(train)}
        with accelerator.training():
            return _steps(model, batches, request["steps"])

    return reply_to


def _steps(model, batches, count):
    seconds, tokens = [], 0
    for _ in range(count):
        start = time.perf_counter()
        features, target, weight = next(batches)
        model.train_on_batch(features, target, sample_weight=weight)
        seconds.append(time.perf_counter() - start)
        tokens += int(features["padding_mask"].numpy().sum())
    return {"seconds": seconds, "tokens": tokens}


class Stages:
    """Seconds of each stage, and what is resident after it."""

    def __init__(self):
        self.found = {}

    def timed(self, name, work):
        """What `work()` gives."""
        start = time.perf_counter()
        result = work()
        self.found[name] = {"seconds": time.perf_counter() - start, "MB": megabytes("VmRSS")}
        return result


def megabytes(name):
    """A line of /proc/self/status; not ru_maxrss, which counts what the parent held when it started the process."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":"))


if __name__ == "__main__":
    answer(prepare, ("tensorflow", "keras", "numpy"))
