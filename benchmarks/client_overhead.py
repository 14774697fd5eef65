"""What the client and the embedded server add to a model: their own time beside protobuf's and beside an echo.

    python -m benchmarks.client_overhead

First the client alone: 128 texts to a request and its answer to results, beside protobuf's serialisation of the same
messages (see client_codec.py). Then one text over real sockets of 127.0.0.1: `serving.client` against the embedded
server, less what the same version takes in a process of its own without a network, beside an asyncio echo server of
grpcio that answers the same bytes. All in turn, there call by call; a round's figure is the median of its calls.
"""

import base64
import statistics
import sys
import time

import grpc
from absl import app, flags

from benchmarks import client_codec, paired, real_text, served_version, sheet
from benchmarks.peers import echo_server
from benchmarks.stages import Walk
from benchmarks.worker import Side, Worker
from serving.client import Client, protos

MOST_TIMES_PROTOBUF, MOST_TIMES_ECHO = 2.0, 1.5
FLAGS = flags.FLAGS
paired.define_flags(rounds=9)
real_text.define_flags()
served_version.define_flags()
flags.DEFINE_integer("texts", 128, "Texts of the request that the client alone is measured with.", lower_bound=1)
flags.DEFINE_integer("calls", 200, "Calls of each side in a round.", lower_bound=2)


def compare():
    """Measures, prints and keeps both parts."""
    page = sheet.Sheet("client_overhead", "client and embedded server: microseconds of their own")
    with served_version.base_path() as base_path, Walk().server(base_path) as address:
        codec = measure_codec(address)
        trip = measure_trip(address, base_path / "1")
    page.heads = ("what", "µs (min–max)", "ratio (min–max)")
    page.rows = [*codec_rows(codec), *trip_rows(trip)]
    page.figures = {"codec": codec, "trip": trip}
    page.met = claims(codec, trip)
    page.notes = NOTES
    page.publish(lambda axes: draw(axes, codec, trip))


NOTES = [
    "wire: SerializeToString of the filled request, FromString of the answer. by hand: from list of str to lists of",
    "values with protobuf alone, of which UTF-8 and filling in alone take more than wire.",
    "client: from list of str to a Classification each.",
]


def measure_codec(address):
    """{"client / wire": spread, …, "seconds": {way: spread}} over the rounds."""
    texts = real_text.texts(FLAGS.texts)
    found = client_codec.ways(served_version.MODEL, texts, record(address, texts))
    rounds = [client_codec.measure(found, FLAGS.calls) for _ in range(FLAGS.rounds)]
    return summarise_codec(rounds)


def summarise_codec(rounds):
    """Spreads over rounds of {way: seconds}."""
    figures = {"seconds": {way: paired.spread([each[way] for each in rounds]) for way in rounds[0]}}
    for base in ("wire", "by hand"):
        figures[f"client / {base}"] = paired.spread([each["client"] / each[base] for each in rounds])
    return figures


def record(address, texts):
    """{signature: bytes} that the server answers, to these texts and to the question for its contract."""
    with grpc.insecure_channel(address) as channel:
        ask = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        contract = protos.PredictRequest()
        contract.model_spec.name, contract.model_spec.signature_name = served_version.MODEL, "contract"
        client_codec.put_strings(contract.inputs["key"], [b"contract"])
        request = client_codec.request_of(served_version.MODEL, texts)
        return {
            "serving_default": ask(request.SerializeToString()),
            "contract": ask(contract.SerializeToString()),
        }


def measure_trip(address, version_dir):
    """Spreads over the rounds of the p50 of each side, and of (served − loaded) / echo."""
    texts = real_text.texts(FLAGS.calls)
    python = [sys.executable, "-m"]
    loaded = Side("loaded version", (*python, "benchmarks.peers.loaded_version", version_dir), ours=True)
    echo = Side("echo", (*python, "benchmarks.peers.echo_server"))
    with Worker(loaded) as version, Worker(echo) as server, Client(address, served_version.MODEL) as client:
        answer = record(address, texts[:1])["serving_default"]
        echo_address = server.ask({"answer": base64.b64encode(answer).decode()})["address"]
        with grpc.insecure_channel(echo_address) as channel:
            ask = channel.unary_unary(echo_server.METHOD)
            questions = [client_codec.request_of(served_version.MODEL, [text]).SerializeToString() for text in texts]
            sides = {
                "served": lambda number: _seconds(client.predict, [texts[number]]),
                "loaded": lambda number: version.ask({"batches": [[texts[number]]]})["seconds"][0],
                "echo": lambda number: _seconds(ask, questions[number]),
            }
            rounds = [_round(sides, len(texts)) for _ in range(FLAGS.rounds + 1)]
    return summarise_trip(rounds[1:])


def _round(sides, calls):
    """{side: seconds of each call}, the sides in turn call by call: what the machine does besides meets all alike."""
    taken = [{side: ask(number) for side, ask in sides.items()} for number in range(calls)]
    return {side: [each[side] for each in taken] for side in sides}


def summarise_trip(rounds):
    """Spreads over rounds of {side: seconds of each call}: of each p50, of what serving adds, and of its ratio."""
    figures = {side: [statistics.median(each[side]) for each in rounds] for side in rounds[0]}
    figures["served − loaded"] = [
        statistics.median(served - loaded for served, loaded in zip(each["served"], each["loaded"], strict=True))
        for each in rounds
    ]
    ratios = [own / echo for own, echo in zip(figures["served − loaded"], figures["echo"], strict=True)]
    seconds = {side: paired.spread(values) for side, values in figures.items()}
    return {"seconds": seconds, "(served − loaded) / echo": paired.spread(ratios)}


def _seconds(call, argument):
    start = time.perf_counter()
    call(argument)
    return time.perf_counter() - start


def codec_rows(codec):
    """Lines of the table of the client alone."""
    for way, seconds in codec["seconds"].items():
        ratio = codec.get(f"client / {way}")
        shown = f"client: {sheet.spread_text(ratio)} ×" if ratio else ""
        yield f"{FLAGS.texts} texts, {way}", sheet.spread_text(seconds, 1e6, 1), shown


def trip_rows(trip):
    """Lines of the table of one text over sockets."""
    ratio = trip["(served − loaded) / echo"]
    for side, seconds in trip["seconds"].items():
        shown = f"{sheet.spread_text(ratio)} × echo" if side == "served − loaded" else ""
        yield f"1 text, {side}, p50", sheet.spread_text(seconds, 1e6, 0), shown


def claims(codec, trip):
    """{claim: whether the medians bear it out}."""
    echo = trip["(served − loaded) / echo"]["median"]
    told = {"wire": "protobuf's two calls on filled messages", "by hand": "protobuf from texts to values"}
    found = {
        f"the client's own work is at most {MOST_TIMES_PROTOBUF:g} × {words}": codec[f"client / {way}"]["median"]
        <= MOST_TIMES_PROTOBUF
        for way, words in told.items()
    }
    return found | {f"client, sockets and server add at most {MOST_TIMES_ECHO:g} × an echo": echo <= MOST_TIMES_ECHO}


def draw(axes, codec, trip):
    """Bars of the medians in microseconds."""
    sides = {f"{FLAGS.texts} texts: {way}": s for way, s in codec["seconds"].items()}
    sides |= {f"1 text: {side}": s for side, s in trip["seconds"].items()}
    axes.barh(list(sides), [each["median"] * 1e6 for each in sides.values()])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("µs, median of the rounds")


if __name__ == "__main__":
    app.run(paired.command(compare))
