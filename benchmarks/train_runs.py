"""The runs of train_vs_peers: command line of each side, what a run leaves, and which runs are still missing."""

import dataclasses
import importlib.metadata
import os
import pathlib
import sys
import tempfile
from typing import Any

from benchmarks import quality_run, result_store

SIDES = ("slipway", "trainer", "trainer_by_length", "keras_hub")
SOURCES = {
    "slipway": "trainer/**/*.py",
    "trainer": "benchmarks/reference_*.py",
    "trainer_by_length": "benchmarks/reference_*.py",
    "keras_hub": "benchmarks/peers/keras_hub_*.py",
}


@dataclasses.dataclass(frozen=True)
class Runs:
    """All runs of one question.

    asked: settings that all sides share, with the fingerprints of rows and encoder. arithmetic: {side: precision of
    ours, or whether the peer has bf16}. data: folder of the three .jsonl files. encoder: Hugging Face folder.
    """

    asked: dict
    arithmetic: dict
    data: Any
    encoder: Any
    bench_python: str

    def settings(self, side, number):
        """What the result of one run is kept by; `seed` is the round, and code that changes makes another result."""
        code = result_store.hash_files(quality_run.ROOT.glob(SOURCES[side]))
        same = {"arithmetic": self.arithmetic[side], "code": code, "machine": quality_run.machine()}
        return self.asked | {"side": side, "seed": number} | same

    def missing(self, store, sides, rounds):
        """Makes the runs that `store` has no result of, in turn; returns {side: [result of each round]}."""
        for number in range(1, rounds + 1):
            for side in sides:
                settings = self.settings(side, number)
                if store.read(settings) is None:
                    print(f"kept: {store.write(settings, self.run_once(settings))}", file=sys.stderr, flush=True)
        return {side: [store.read(self.settings(side, 1 + i)) for i in range(rounds)] for side in sides}

    def run_once(self, settings):
        """Runs one side from nothing; returns the result to keep. Raises RunError."""
        load = os.getloadavg()[0]
        with tempfile.TemporaryDirectory(prefix="slipway-train-") as folder:
            folder = pathlib.Path(folder) / "run"  # not there yet: Slipway makes its own workdir
            wall, cpu = quality_run.call(self.command(settings, folder), settings["side"])
            result = quality_run.read_result(folder)
        process = {"seconds": wall, "cpu_seconds": cpu, "load_before": load}
        own = {name: importlib.metadata.version(name) for name in quality_run.OWN_PACKAGES}
        return {"versions": own} | result | {"process": process}

    def command(self, settings, folder):
        """The command line of one run, which leaves results.json in `folder`."""
        side, arithmetic = settings["side"], settings["arithmetic"]
        if side == "slipway":
            # no token ids of the round before: the peers tokenise anew, too
            flags = [f"--precision={arithmetic}", "--tokens_cache_mb=0"]
            run = settings | {"bf16": arithmetic == "bfloat16", "flags": flags}
            return quality_run.slipway_command(run, self.data, self.encoder, folder)
        folder.mkdir()
        if side == "keras_hub":
            return self._keras_hub(settings, folder / "results.json")
        run, threads = settings | {"bf16": arithmetic}, os.cpu_count()
        words = quality_run.reference_command(run, self.data, self.encoder, folder, self.bench_python, threads)
        return words + (["--group_by_length"] if side == "trainer_by_length" else [])

    def _keras_hub(self, settings, output):
        same = {name: settings[name] for name in ("epochs", "batch_size", "max_length", "learning_rate")}
        same |= {"data": self.data, "encoder": self.encoder, "output": output}
        same["policy"] = "mixed_bfloat16" if settings["arithmetic"] else "float32"
        module = "benchmarks.peers.keras_hub_trainer"
        return [sys.executable, "-m", module, *(f"--{name}={value}" for name, value in same.items())]
