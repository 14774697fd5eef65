"""Requests that nobody should send, to a server that must bear them: how each ended, and what they left in memory.

    python -m benchmarks.hostile --requests=100000

Hypothesis makes them from a seed (hostile_protos.py, hostile_http.py); they go over real sockets to gRPC and REST of
one embedded server. Before and after, the model is asked the same texts both ways.
"""

import asyncio
import concurrent.futures
import functools
import http.client
import json
import multiprocessing
import sys
import time

import grpc
from absl import app, flags
from tensorflow_serving.apis import predict_pb2

from benchmarks import client_codec, paired, real_text, sheet, two_versions
from benchmarks.served_version import linked
from benchmarks.server_process import ServerProcess
from benchmarks.stages import StageFailed

FLAGS = flags.FLAGS
flags.DEFINE_integer("requests", 100_000, "Hostile requests.", lower_bound=1)
flags.DEFINE_integer("warm_up", 5000, "Hostile requests that do not count, before memory is looked at.", lower_bound=0)
flags.DEFINE_integer("seed", 1, "What the requests are drawn from.")
flags.DEFINE_float("deadline", 5, "Seconds of each request.", lower_bound=0.1)
real_text.define_flags()
two_versions.define_flags()
sheet.define_flags()

MOST_MB = 50
_TEXTS, _INPUT = 4, "text"
_SHOWN = 5  # requests of a kind that should not be
_DRAIN_SECONDS = 0.05


async def measure(server):
    """(Seen, {figure: number}) of the run."""
    from benchmarks.hostile_storm import Storm

    before = answers(server)
    async with Storm(server.address, server.rest_address, two_versions.MODEL, _INPUT, FLAGS.deadline) as storm:
        draining = asyncio.create_task(_drain(server))
        with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as maker:
            told = functools.partial(_told, server)
            await storm.run(FLAGS.warm_up, f"warm-up {FLAGS.seed}", told, maker)
            resident, start = server.resident_mb(), time.perf_counter()
            seen = await storm.run(FLAGS.requests, str(FLAGS.seed), told, maker)
            seconds = time.perf_counter() - start
            await asyncio.sleep(1)
        draining.cancel()
    ended = server.ended()
    figures = {
        "requests": seen.total,
        "requests_per_second": seen.total / seconds,
        "crashes": int(ended is not None),
        "hangs": len(seen.hangs),
        "undocumented": len(seen.undocumented),
        "rss_before_mb": resident,
        "rss_after_mb": server.resident_mb() if ended is None else 0.0,
        "same_answers": ended is None and _answers_or_fault(server) == before,
        "statuses": {kind: dict(counts) for kind, counts in sorted(seen.counts.items())},
    }
    return seen, figures


def answers(server):
    """What the model says to some texts over gRPC and over REST."""
    texts = real_text.texts(_TEXTS)
    with grpc.insecure_channel(server.address) as channel:
        ask = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        raw = ask(client_codec.request_of(two_versions.MODEL, texts).SerializeToString(), timeout=60)
    host, _, port = server.rest_address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.request("POST", f"/v1/models/{two_versions.MODEL}:predict", json.dumps({"instances": texts}))
    response = connection.getresponse()
    rest = response.status, json.loads(response.read())
    connection.close()
    return predict_pb2.PredictResponse.FromString(raw), rest


def _answers_or_fault(server):
    """The same; of a server that no longer answers, why."""
    try:
        return answers(server)
    except (grpc.RpcError, OSError, http.client.HTTPException, ValueError) as fault:
        print(f"the model no longer answers: {fault}", file=sys.stderr)
        return fault


async def _drain(server):
    while True:
        server.drain()
        await asyncio.sleep(_DRAIN_SECONDS)


def _told(server, seen):
    wrong = f"{len(seen.hangs)} hangs, {len(seen.undocumented)} undocumented"
    print(f"{seen.total} requests, {wrong}, {server.resident_mb():.0f} MB", file=sys.stderr)


def compare():
    """Runs it, prints the table and keeps the figures."""
    page = sheet.Sheet("hostile", "hostile requests")
    with two_versions.versions() as versions, linked(versions[0]) as base:
        limits = f"--rest_api_timeout_in_ms={int(1000 * FLAGS.deadline)}"
        with ServerProcess(f"--model_base_path={base}", limits, rest=True) as server:
            seen, page.figures = asyncio.run(measure(server))
    page.heads = ("kind", "requests", "how they ended")
    page.rows = list(lines(seen.counts))
    page.met = claims(page.figures)
    page.notes = notes(seen, page.figures)
    page.publish(lambda axes: draw(axes, seen.counts))


def lines(counts):
    """Lines of the table."""
    for kind, ended in sorted(counts.items()):
        yield kind, str(ended.total()), ", ".join(f"{status} {number}" for status, number in ended.most_common())


def claims(found):
    """{claim: whether the run bears it out}."""
    return {
        "no crash": not found["crashes"],
        "each ends within its deadline and a second": not found["hangs"],
        "each status is a documented one": not found["undocumented"],
        f"memory grows by {MOST_MB} MB at most": found["rss_after_mb"] <= found["rss_before_mb"] + MOST_MB,
        "the model answers as before": found["same_answers"],
    }


def notes(seen, found):
    """Lines below the table."""
    speed = f"{found['requests']} requests, {found['requests_per_second']:.0f}/s with their making, seed {FLAGS.seed}"
    grown = f"{found['rss_before_mb']:.0f} MB after {FLAGS.warm_up} requests, {found['rss_after_mb']:.0f} MB at the end"
    told = [
        speed,
        f"{found['crashes']} crashes, {found['hangs']} hangs, {found['undocumented']} undocumented statuses",
        f"memory {grown}",
    ]
    told += [f"hang: {kind}: {str(each)[:300]}" for kind, each in seen.hangs[:_SHOWN]]
    return told + [
        f"undocumented: {kind}: {status} {message[:200]!r}: {str(each)[:300]}"
        for kind, each, status, message in seen.undocumented[:_SHOWN]
    ]


def draw(axes, counts):
    """A bar for each kind, in it a part for each status."""
    from matplotlib import colormaps

    kinds = sorted(counts, reverse=True)
    left = dict.fromkeys(kinds, 0)
    statuses = sorted({status for each in counts.values() for status in each})
    for colour, status in zip(colormaps["tab20"](range(len(statuses))), statuses, strict=True):
        sizes = [counts[kind][status] for kind in kinds]
        axes.barh(kinds, sizes, left=[left[kind] for kind in kinds], label=status, color=colour)
        left = {kind: left[kind] + size for kind, size in zip(kinds, sizes, strict=True)}
    axes.set_xlabel("requests")
    axes.legend(fontsize=6, loc="upper left", bbox_to_anchor=(1, 1))


def main(arguments):
    """Measures; exits with the code of a command that failed, 5 where hypothesis is missing."""
    try:
        import hypothesis  # noqa: F401
    except ModuleNotFoundError:
        print("error: hypothesis is missing; pip install -e '.[test]' brings it", file=sys.stderr)
        return 5
    try:
        return paired.command(compare)(arguments)
    except StageFailed as failed:
        return failed.exit_code


if __name__ == "__main__":
    app.run(main)
