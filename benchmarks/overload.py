"""Three times more requests than a server can answer: what is answered late, what is refused, and what is left behind.

    python -m benchmarks.overload

A server with batching is asked batches at its ease (one caller: the time of a batch; some callers: what it can do),
then at three times that rate whether or not it answers, then at its ease again; all of it in rounds, the median one of
which is shown. The requests are sent by this process, raw, so that no retry of a client's mends what the server does;
its share of a core is printed.
"""

import asyncio
import dataclasses
import math
import statistics
import time

import grpc
from absl import app, flags

from benchmarks import client_codec, paired, real_text, sheet, two_versions
from benchmarks.served_version import linked
from benchmarks.server_process import ServerProcess

FLAGS = flags.FLAGS
flags.DEFINE_float("times", 3, "Rate of the overload, times what the server can do.", lower_bound=1)
flags.DEFINE_float("seconds", 20, "Length of the overload.", lower_bound=0.5)
flags.DEFINE_integer("rounds", 3, "Overloads, one after the other.", lower_bound=1)
flags.DEFINE_integer("texts", 32, "Texts of a request, which is a batch.", lower_bound=1)
flags.DEFINE_integer("max_enqueued_batches", 4, "Batches that may wait.", lower_bound=1)
flags.DEFINE_float("deadline", 5, "Seconds of each request.", lower_bound=0.1)
real_text.define_flags()
two_versions.define_flags()
sheet.define_flags()

MOST_MB = 50
REFUSED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
_WARM_UP_SECONDS, _CALLERS = 3.0, 4
_METHOD = "/tensorflow.serving.PredictionService/Predict"


@dataclasses.dataclass
class Seen:
    """seconds: {grpc.StatusCode: seconds of each request that ended so}; late: seconds that sending lagged behind."""

    seconds: dict = dataclasses.field(default_factory=dict)
    late: float = 0.0

    def of(self, *codes):
        """Seconds of the requests that ended with one of the codes, sorted."""
        return sorted(each for code in codes for each in self.seconds.get(code, ()))


class Asking:
    """Sends one request, whose answer is not looked into, as often as is asked."""

    def __init__(self, channel):
        texts = real_text.texts(FLAGS.texts)
        self._call = channel.unary_unary(_METHOD)
        self._request = client_codec.request_of(two_versions.MODEL, texts).SerializeToString()

    async def once(self, seen):
        """One request; its code and seconds go into `seen`."""
        start = time.perf_counter()
        try:
            await self._call(self._request, timeout=FLAGS.deadline)
            code = grpc.StatusCode.OK
        except grpc.aio.AioRpcError as error:
            code = error.code()
        seen.seconds.setdefault(code, []).append(time.perf_counter() - start)

    async def at_ease(self, callers, seconds):
        """Seen of callers who wait for each answer."""
        seen, until = Seen(), time.perf_counter() + seconds

        async def caller():
            while time.perf_counter() < until:
                await self.once(seen)

        await asyncio.gather(*(caller() for _ in range(callers)))
        return seen

    async def at_rate(self, rate, seconds):
        """Seen of requests that are sent on time, whether or not the ones before are answered."""
        seen, tasks, begin = Seen(), [], time.perf_counter()
        for number in range(math.ceil(rate * seconds)):
            due = begin + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            seen.late = max(seen.late, time.perf_counter() - due)
            tasks.append(asyncio.create_task(self.once(seen)))
        await asyncio.gather(*tasks)
        return seen


async def measure(server):
    """{figure: number} of the median round, by p99 over its bound; memory is from the first round to the last."""
    rounds = [await _round(server) for _ in range(FLAGS.rounds)]
    shares = [each["accepted_p99"] / each["bound_seconds"] for each in rounds]
    median = rounds[shares.index(statistics.median_low(shares))]
    memory = {"rss_before_mb": rounds[0]["rss_before_mb"], "rss_after_mb": rounds[-1]["rss_after_mb"]}
    return median | memory | {"share_of_bound": paired.spread(shares)}


async def _round(server):
    options = [("grpc.max_receive_message_length", -1)]
    async with grpc.aio.insecure_channel(server.address, options=options) as channel:
        asking = Asking(channel)
        await asking.at_ease(_CALLERS, _WARM_UP_SECONDS)
        alone = await asking.at_ease(1, _WARM_UP_SECONDS)
        full = await asking.at_ease(_CALLERS, _WARM_UP_SECONDS)
        rate = FLAGS.times * len(full.of(grpc.StatusCode.OK)) / _WARM_UP_SECONDS
        before, used = server.resident_mb(), time.process_time()
        seen = await asking.at_rate(rate, FLAGS.seconds)
        used = (time.process_time() - used) / FLAGS.seconds
        await asyncio.sleep(1)
        again = await asking.at_ease(1, _WARM_UP_SECONDS)
    return figures(alone, rate, seen, again, used) | {"rss_before_mb": before, "rss_after_mb": server.resident_mb()}


def figures(alone, rate, seen, again, used):
    """{figure: number} of a Seen at ease, one of the overload at that rate, and one at ease again."""
    batch = statistics.median(alone.of(grpc.StatusCode.OK))
    accepted, refused = seen.of(grpc.StatusCode.OK), seen.of(*REFUSED)
    others = {code.name: len(each) for code, each in seen.seconds.items() if code not in (*REFUSED, grpc.StatusCode.OK)}
    return {
        "batch_seconds": batch,
        "rate": rate,
        "accepted": len(accepted),
        "accepted_p50": _percentile(accepted, 0.5),
        "accepted_p99": _percentile(accepted, 0.99),
        "bound_seconds": 2 * (FLAGS.max_enqueued_batches + 1) * batch,
        "refused": len(refused),
        "refused_p50": _percentile(refused, 0.5),
        "refused_p99": _percentile(refused, 0.99),
        "others": others,
        "batch_seconds_after": statistics.median(again.of(grpc.StatusCode.OK)),
        "failed_after": len(again.of(*(code for code in again.seconds if code != grpc.StatusCode.OK))),
        "sender_late_seconds": seen.late,
        "sender_cores": used,
    }


def compare():
    """Runs it, prints the table and keeps the figures."""
    page = sheet.Sheet("overload", f"{FLAGS.times:g} times what the server can do")
    with two_versions.versions() as versions, linked(versions[0]) as base:
        found = asyncio.run(_measured(base))
    page.heads = ("what", "figure", "bound")
    page.rows = list(lines(found))
    page.figures = found
    page.met = claims(found)
    page.notes = [
        f"requests of {FLAGS.texts} texts, {FLAGS.seconds:g} s, deadline {FLAGS.deadline:g} s, one thread of batches, "
        f"at most {FLAGS.max_enqueued_batches} waiting",
        f"{FLAGS.rounds} rounds: p99 is {sheet.spread_text(found['share_of_bound'])} of its bound",
        f"the sender took {found['sender_cores']:.2f} of a core, {found['sender_late_seconds']:.2f} s late at most",
    ]
    page.publish(lambda axes: draw(axes, found))


async def _measured(base):
    parameters = base.parent / "batching.pbtxt"
    sizes = {"max_batch_size": FLAGS.texts, "max_enqueued_batches": FLAGS.max_enqueued_batches, "num_batch_threads": 1}
    parameters.write_text("".join(f"{name} {{ value: {value} }}\n" for name, value in sizes.items()))
    given = (f"--model_base_path={base}", "--enable_batching")
    with ServerProcess(*given, f"--batching_parameters_file={parameters}") as server:
        return await measure(server)


def lines(found):
    """Lines of the table."""
    milli = {name: f"{1e3 * value:.1f} ms" for name, value in found.items() if isinstance(value, float)}
    yield "a batch, alone", milli["batch_seconds"], ""
    yield "requests/s of the overload", f"{found['rate']:.0f}", ""
    yield "accepted", str(found["accepted"]), ""
    yield "  p50, p99", f"{milli['accepted_p50']}, {milli['accepted_p99']}", f"p99 ≤ {milli['bound_seconds']}"
    yield "refused", str(found["refused"]), ""
    yield "  p50, p99", f"{milli['refused_p50']}, {milli['refused_p99']}", ""
    yield "ended otherwise", str(found["others"] or "none"), "none"
    yield "a batch alone, a second later", milli["batch_seconds_after"], "≤ 1.5 × before"
    yield "memory before, after", f"{found['rss_before_mb']:.0f}, {found['rss_after_mb']:.0f} MB", f"+ {MOST_MB} MB"


def claims(found):
    """{claim: whether the run bears it out}."""
    return {
        "accepted requests' p99 ≤ 2 × (batches that wait + 1) × a batch's time": found["accepted_p99"]
        <= found["bound_seconds"],
        "all others are refused, faster than a batch takes at the median": not found["others"]
        and found["refused_p50"] <= found["batch_seconds"],
        f"memory grows by {MOST_MB} MB at most": found["rss_after_mb"] <= found["rss_before_mb"] + MOST_MB,
        "a second later all is as before": not found["failed_after"]
        and found["batch_seconds_after"] <= 1.5 * found["batch_seconds"],
    }


def draw(axes, found):
    """Bars of the latencies."""
    shown = ("batch_seconds", "accepted_p50", "accepted_p99", "bound_seconds", "refused_p50", "refused_p99")
    axes.barh([name.replace("_", " ") for name in shown], [1e3 * found[name] for name in shown])
    axes.invert_yaxis()
    axes.set_xlabel("ms")


def _percentile(values, share):
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


if __name__ == "__main__":
    app.run(paired.command(compare))
