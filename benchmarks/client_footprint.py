"""What the client costs a process: seconds of import and resident memory, beside what it stands on and the real stubs.

    python -m benchmarks.client_footprint --runs=7

Three sides, each in fresh processes, taken in turn (A B C A B C …): `grpc, numpy, google.protobuf`, which any gRPC
client needs; serving.client; the stubs of tensorflow-serving-api, which import TensorFlow. Where serving.client asks a
model, that is a fake one in this process, so nothing but the client is weighed. Exit code 1 where a limit is passed.
"""

import concurrent.futures
import json
import pathlib
import platform
import statistics
import subprocess
import sys

from absl import app, flags

MOST_TIMES_BASE = 1.5
MOST_MEGABYTES = 100
ROOT = pathlib.Path(__file__).parents[1]
SIDES = {
    "grpc, numpy, google.protobuf": "import grpc, numpy, google.protobuf",
    "serving.client": "import serving.client",
    "tensorflow-serving-api stubs": "from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc",
}
BASE, CLIENT, STUBS = SIDES

# The child: times the import before anything else is loaded, then reads its own memory.
CHILD = """
import time
start = time.perf_counter()
{imports}
seconds = time.perf_counter() - start

def megabytes():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))

report = {{"seconds": seconds, "megabytes": megabytes()}}
{then}
import json, sys
report["tensorflow"] = "tensorflow" in sys.modules
print(json.dumps(report))
"""
ASK = """
with serving.client.Client("{address}", "reviews", deadline=60) as client:
    assert client.predict("good").label == "positive"
    report["megabytes after one text"] = megabytes()
    assert len(client.predict(["good"] * 10_000)) == 10_000
    report["megabytes after 10,000 texts"] = megabytes()
"""

FLAGS = flags.FLAGS
flags.DEFINE_integer("runs", 7, "Fresh processes per side.", lower_bound=1)
flags.DEFINE_integer("stub_runs", 3, "Fresh processes with the stubs (seconds each); 0 leaves them out.", lower_bound=0)
flags.DEFINE_string("output", "", "File for all figures as JSON.")
flags.DEFINE_bool("json", False, "Print one JSON object instead of the table.")


def fake_server():
    """(server, address): a gRPC server that calls every text positive."""
    import grpc
    import numpy as np

    from serving.client import protos
    from serving.client.tensors import encode

    contract = {
        "schema_version": "1.0",
        "task": "classification",
        "labels": ["negative", "positive"],
        "signatures": {"serving_default": {"method": "predict", "inputs": {"text": {"dtype": "string"}}}},
    }

    def predict(request, context):
        response = protos.PredictResponse()
        response.model_spec.version.value = 1
        if request.model_spec.signature_name == "contract":
            outputs = {"value": [json.dumps(contract)]}
        else:
            rows = len(request.inputs["text"].string_val)
            probabilities = np.tile(np.array([0.25, 0.75], np.float32), (rows, 1))
            outputs = {"label": ["positive"] * rows, "score": probabilities[:, 1], "probabilities": probabilities}
            outputs |= {"truncated": np.zeros(rows, bool), "abstain": np.zeros(rows, bool)}
        for name, value in outputs.items():
            response.outputs[name].CopyFrom(encode(value))
        return response

    handler = grpc.unary_unary_rpc_method_handler(
        predict, protos.PredictRequest.FromString, protos.PredictResponse.SerializeToString
    )
    service = grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", {"Predict": handler})
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers([service])
    return server, f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"


def measure(side, address):
    """The report of one fresh process."""
    then = ASK.format(address=address) if side == CLIENT else ""
    program = CHILD.format(imports=SIDES[side], then=then)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{side}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


def measure_all(address):
    """{side: [report, …]}: one uncounted round, which also writes byte code, then the sides in turn."""
    reports = {side: [] for side in SIDES}
    for turn in range(-1, FLAGS.runs):
        for side in SIDES:
            if side != STUBS or (turn < FLAGS.stub_runs and FLAGS.stub_runs):
                report = measure(side, address)
                if turn >= 0:
                    reports[side].append(report)
    return reports


def spread(values, digits):
    """{median, min, max} of some numbers."""
    figures = {"median": statistics.median(values), "min": min(values), "max": max(values)}
    return {name: round(value, digits) for name, value in figures.items()}


def summarize(reports):
    """Every figure of the table: per side its seconds and megabytes, and the client's import time in base's."""
    sides = {}
    for side, runs in reports.items():
        if runs:
            sides[side] = {"runs": len(runs), "import seconds": spread([run["seconds"] for run in runs], 3)}
            for name in runs[0]:
                if name.startswith("megabytes"):
                    sides[side][name] = spread([run[name] for run in runs], 1)
    pairs = zip(reports[CLIENT], reports[BASE], strict=True)
    times = spread([ours["seconds"] / base["seconds"] for ours, base in pairs], 2)
    medians = sides[CLIENT]["import seconds"]["median"] / sides[BASE]["import seconds"]["median"]
    largest = max(value["max"] for name, value in sides[CLIENT].items() if name.startswith("megabytes"))
    loaded = any(run["tensorflow"] for run in reports[CLIENT])
    return {
        "sides": sides,
        "import, client / base": {"of medians": round(medians, 2), **times},
        "most": {"import, client / base": MOST_TIMES_BASE, "megabytes": MOST_MEGABYTES},
        "tensorflow loaded by the client": loaded,
        "within": medians <= MOST_TIMES_BASE and largest < MOST_MEGABYTES and not loaded,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {platform.system()}",
    }


def table(summary):
    """The summary as lines."""
    heads = ["import seconds", "megabytes", "megabytes after one text", "megabytes after 10,000 texts"]
    rows = [["", "runs", *heads]]
    for side, figures in summary["sides"].items():
        cells = [figures.get(head) for head in heads]
        told = [f"{cell['median']:g} ({cell['min']:g}–{cell['max']:g})" if cell else "" for cell in cells]
        rows.append([side, str(figures["runs"]), *told])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    ratio = summary["import, client / base"]
    return "\n".join(
        [
            *lines,
            "",
            f"import, client / base: {ratio['of medians']} of medians (in turn {ratio['min']}–{ratio['max']}); "
            f"most {MOST_TIMES_BASE}",
            f"tensorflow in the client's process: {'yes' if summary['tensorflow loaded by the client'] else 'no'}; "
            f"memory: most {MOST_MEGABYTES} MB; {'within' if summary['within'] else 'NOT within'} the limits",
            f"medians (min–max) of fresh processes; Python {summary['python']}, {summary['machine']}",
        ]
    )


def main(_):
    server, address = fake_server()
    server.start()
    try:
        summary = summarize(measure_all(address))
    finally:
        server.stop(None).wait()
    if FLAGS.output:
        pathlib.Path(FLAGS.output).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(summary) if FLAGS.json else table(summary))
    return 0 if summary["within"] else 1


if __name__ == "__main__":
    app.run(main)
