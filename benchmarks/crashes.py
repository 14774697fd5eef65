"""Servers that are killed and started again under load: what callers with two targets, and with one, see of it.

    python -m benchmarks.crashes

SIGKILL, a pause, a new server on the same port, and again: first one of two servers in turn, then the only one. Every
answer is compared with the version's own; a failure must come while the server is away, within its deadline, and be
one line.
"""

import asyncio
import contextlib

from absl import app, flags

from benchmarks import paired, real_text, sheet, two_versions
from benchmarks.callers import calling
from benchmarks.served_version import linked
from benchmarks.server_process import ServerProcess

FLAGS = flags.FLAGS
flags.DEFINE_integer("callers", 64, "Callers at once.", lower_bound=1)
flags.DEFINE_integer("kills", 4, "Times that a server is killed, with two targets and with one.", lower_bound=1)
flags.DEFINE_float("away", 2, "Seconds until it is started again.", lower_bound=0)
flags.DEFINE_float("between", 5, "Seconds from its return to the next kill.", lower_bound=0.1)
flags.DEFINE_float("deadline", 5, "Seconds of each request.", lower_bound=0.1)
real_text.define_flags()
two_versions.define_flags()
sheet.define_flags()

TWO, ONE = "two targets, one killed", "one target, killed"
_SLACK = 0.5  # seconds by which an error may come after its deadline on a busy machine
_EBB = 2.5  # after the server is back: the longest wait between two looks of a client's connection, and a little


async def under_load(servers, told):
    """(Calls, [(killed, back again)]) of callers who know all `servers`, of which one after the other is killed."""
    addresses, away = [server.address for server in servers], []
    given = {"deadline": FLAGS.deadline}
    async with calling(addresses, two_versions.MODEL, told, FLAGS.callers, **given) as calls:
        for number in range(FLAGS.kills):
            await asyncio.sleep(FLAGS.between)
            server = servers[number % len(servers)]
            killed = await asyncio.to_thread(server.kill)
            await asyncio.sleep(FLAGS.away)
            away.append((killed, await asyncio.to_thread(server.start)))
        await asyncio.sleep(FLAGS.between)
    return calls, away


def measure():
    """{what: (Calls, [(killed, back again)])}."""
    with two_versions.versions() as versions, linked(versions[0]) as base, contextlib.ExitStack() as stack:
        told = two_versions.answers(versions)
        servers = [stack.enter_context(ServerProcess(f"--model_base_path={base}")) for _ in range(2)]
        return {
            TWO: asyncio.run(under_load(servers, told)),
            ONE: asyncio.run(under_load(servers[:1], told)),
        }


def compare():
    """Runs it, prints the table and keeps the figures."""
    page = sheet.Sheet("crashes", "servers that are killed under load")
    found = measure()
    page.heads = ("callers know", "asked", "answered", "failed", "others' answers", "longest failure s", "p99 ms")
    page.rows = [line(name, calls) for name, (calls, _) in found.items()]
    page.figures = {
        name: dict(zip(page.heads[1:], line(name, calls)[1:], strict=True)) for name, (calls, _) in found.items()
    }
    page.met = claims(found)
    page.notes = [
        f"{FLAGS.callers} callers, {FLAGS.kills} kills each, away {FLAGS.away:g} s and while it starts, "
        f"deadline {FLAGS.deadline:g} s"
    ]
    page.notes += sorted({str(error) for calls, _ in found.values() for *_, error in calls.failures})[:4]
    page.publish(lambda axes: draw(axes, found))


def line(name, calls):
    """A line of the table."""
    longest = max((seconds for _, seconds, _ in calls.failures), default=0.0)
    nobody = calls.other + calls.by_version[1]
    counts = map(str, (calls.asked, calls.answered, len(calls.failures), nobody))
    return name, *counts, f"{longest:.1f}", f"{calls.percentile(0.99):.0f}"


def claims(found):
    """{claim: whether the run bears it out}."""
    (two, _), (one, away) = found[TWO], found[ONE]
    return {
        "with two targets no request fails": not two.failures,
        "each call has one answer, and it is the version's own": all(
            calls.answered + len(calls.failures) == calls.asked and not calls.other and not calls.by_version[1]
            for calls in (two, one)
        ),
        "with one, requests fail only while it is away": all(was_away(failure, away) for failure in one.failures),
        "each within its deadline": all(seconds <= FLAGS.deadline + _SLACK for _, seconds, _ in one.failures),
        "and in one line": all("\n" not in str(error) and str(error) for *_, error in one.failures),
    }


def was_away(failure, away):
    """Whether the server was away at some time while a call was made that failed, or had just come back."""
    start, seconds, _ = failure
    return any(start <= back + _EBB and start + seconds >= killed for killed, back in away)


def draw(axes, found):
    """Latency by percentile, a line for each."""
    shares = [number / 1000 for number in range(10, 1000, 10)] + [0.999]
    for name, (calls, _) in found.items():
        axes.plot([share * 100 for share in shares], [calls.percentile(share) for share in shares], label=name)
    axes.set_yscale("log")
    axes.set_xlabel("percentile of the answered calls")
    axes.set_ylabel("ms")
    axes.legend()


if __name__ == "__main__":
    app.run(paired.command(compare))
