"""One fine-tuning run of either side of the quality benchmark, as a process of its own, and what it leaves behind."""

import contextlib
import importlib.metadata
import json
import os
import pathlib
import platform
import resource
import shlex
import subprocess
import sys
import tempfile
import time

from benchmarks import out_of_scope, quality_figures, result_store
from benchmarks.quality_datasets import DATASETS

ROOT = pathlib.Path(__file__).resolve().parent.parent
OWN_PACKAGES = ("tensorflow", "keras", "keras-hub", "tensorflow-text")


class RunError(Exception):
    """A run that could not be made: one line, and the exit code for the shell."""

    def __init__(self, message, exit_code=2):
        super().__init__(message)
        self.exit_code = exit_code


def run_once(settings, data, encoder, bench_python, threads):
    """Runs `settings` ({"side": …, "seed": …, …}) on the rows in `data`, from nothing; returns the result to keep.

    `threads`: of torch; TensorFlow takes all cores.
    """
    side, load = settings["side"], os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="slipway-quality-") as folder:
        folder = pathlib.Path(folder) / "run"  # not there yet: Slipway makes its own workdir
        command = slipway_command(settings, data, encoder, folder)
        if side == "reference":
            folder.mkdir()
            start = folder / "start.npz"
            call([sys.executable, "-m", "benchmarks.starting_point", start, *command[3:]], "starting point's")
            command = reference_command(settings, data, encoder, folder, bench_python, threads) + [f"--start={start}"]
        wall, cpu = call(command, side)
        result = read_result(folder)
        if "test" not in result:
            call([*command, "--mode=evaluate"], side)
            result = read_result(folder)
        if out_of_scope.are_in(data):
            own = side == "slipway"
            found = out_of_scope.judged(result) if own else out_of_scope.auroc(result.pop("top_probabilities"))
            result["out_of_scope"] = found
    result.pop("decisions", None)  # curves of hundreds of points, which no table shows
    if side == "slipway":
        result["versions"] = {name: importlib.metadata.version(name) for name in OWN_PACKAGES}
    process = {"seconds": wall, "cpu_seconds": cpu, "load_before": load}
    return result | {"process": process, "machine": machine(), "source": source_hash(side)}


def reference_command(settings, data, encoder, folder, bench_python, threads):
    """Command line of one run of transformers' Trainer."""
    same = {name: settings[name] for name in ("seed", "epochs", "batch_size", "learning_rate", "max_length")}
    same |= {"data": data, "encoder": encoder, "output": folder / "results.json", "threads": threads}
    same |= {"bf16": "on" if settings["bf16"] else "off", "task": DATASETS[settings["dataset"]].task}
    given = [f"--{name}={value}" for name, value in same.items()]
    return [bench_python, "-m", "benchmarks.reference_trainer", *given]


def slipway_command(settings, data, encoder, folder):
    """Command line of one run of Slipway, with the rows, steps and arithmetic of the other side."""
    dataset = DATASETS[settings["dataset"]]
    same = {name: settings[name] for name in ("seed", "epochs", "batch_size", "learning_rate")}
    same |= {"mode": "train", "data": data, "encoder": encoder, "workdir": folder, "device": "cpu"}
    same |= {"sequence_length": settings["max_length"], "precision": "bfloat16" if settings["bf16"] else "float32"}
    if dataset.text_pair:
        same["text_pair_column"] = "text_pair"
    if dataset.task != "classification":
        same |= {"task": dataset.task, "metric": quality_figures.metric_of(settings["dataset"])}
    if dataset.task == "span_qa":
        same |= {"window_overlap": 128, "dropout": 0}  # of run_qa.py, and of transformers' model
    given = [*(f"--{name}={value}" for name, value in same.items()), *out_of_scope.flags(data)]
    return [sys.executable, "-m", "trainer.main", *given, "--noexport", *settings.get("flags", ())]


def call(command, side):
    """Runs one command, its output going to our stderr; returns (seconds of wall clock, seconds of CPU)."""
    print(f"$ {shlex.join(map(str, command))}", file=sys.stderr, flush=True)
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
    start, cpu = time.monotonic(), _children_cpu()
    try:
        code = subprocess.run(command, cwd=ROOT, env=environment, stdout=sys.stderr, check=False).returncode
    except OSError as fault:
        needs = "give --bench_python=PYTHON, see benchmarks/README.md" if side == "reference" else "is it installed?"
        raise RunError(f"{command[0]}: {fault.strerror}; {needs}") from None
    if code:
        raise RunError(f"the {side} run ended with exit code {code}; its own message stands above", abs(code))
    return time.monotonic() - start, _children_cpu() - cpu


def read_result(folder):
    """results.json of a run; both sides write {"dev": {"accuracy": …}, "test": …, "train": {"seconds": …}}."""
    try:
        return json.loads((folder / "results.json").read_text(encoding="utf-8"))
    except OSError:
        raise RunError(f"the run ended well but left no results.json in {folder}", 1) from None


def _children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bfloat16_units():
    """What of this CPU multiplies bfloat16 in hardware: "AMX", "AVX512-BF16" or ""."""
    flags = ""
    with contextlib.suppress(OSError):
        flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return "AMX" if "amx_bf16" in flags else "AVX512-BF16" if "avx512_bf16" in flags else ""


def machine():
    """What the times were taken on."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return f"{model}, {os.cpu_count()} cores, {bfloat16_units() or 'no bfloat16 in hardware'}"


def source_hash(side):
    """Hash of the code that makes a result; kept with it, so that the table can say when it is another one now."""
    reference = [*ROOT.glob("benchmarks/reference_*.py"), ROOT / "benchmarks/starting_point.py"]
    own = ROOT.glob("trainer/**/*.py") if side == "slipway" else reference
    return result_store.hash_files(own)
