"""The frame of every benchmark that compares sides in turn, A B A B …, each a warm process of its own.

A benchmark names its sides and its cases, and leaves the rest to this file:

    paired.define_flags(rounds=5)

    def compare():
        sides = [Side("slipway", (sys.executable, "-m", "benchmarks.peers.mine"), ours=True), Side("peer", …)]
        cases = {"32 texts": {"texts": 32}, "one text": {"texts": 1}}
        measured = paired.measure(sides, cases, FLAGS.rounds)
        paired.report("name", "title of the table", measured, notes=["what the figures leave out"])

    if __name__ == "__main__":
        app.run(paired.command(compare))

A case is the request that every side is sent; a reply holds `seconds`, a list, and whatever else the benchmark wants
to look at. A turn counts as the median of its seconds. Sides are compared round by round: the ratio of a round is the
peer's seconds over ours, so above 1 ours is that many times as fast.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import statistics
import sys

from absl import app, flags

from benchmarks import paired_table, quality_rows, quality_run, sheet
from benchmarks.stages import StageFailed
from benchmarks.worker import Skipped, Worker, WorkerFailed

FLAGS = flags.FLAGS


class NotEqual(Exception):
    """Sides whose answers differ: what they take to give them must not be compared."""

    exit_code = 1


@dataclasses.dataclass
class Measured:
    """turns: {case: {side: [reply of each counted round]}}; ours: names of our sides; skipped: {side: reason};
    versions: {side: {package: version}}; load: of the machine over a minute, before and after."""

    turns: dict
    ours: list
    skipped: dict
    versions: dict
    load: list


def define_flags(rounds):
    """The flags that all paired benchmarks have; `rounds` is the default number of counted rounds."""
    flags.DEFINE_integer("rounds", rounds, "Counted rounds; each asks every side once per case.", lower_bound=1)
    FLAGS.register_key_flag_for_module(sys.argv[0], FLAGS["rounds"])
    sheet.define_flags()


def measure(sides, cases, rounds, warm_up=1):
    """Measured: `warm_up` rounds that do not count, then `rounds` that do. Raises WorkerFailed."""
    load, skipped = [os.getloadavg()[0]], {}
    with contextlib.ExitStack() as stack:
        workers = []
        for side in sides:
            try:
                workers.append(stack.enter_context(Worker(side)))
            except Skipped as reason:
                skipped[side.name] = str(reason)
        turns = {name: _take_turns(workers, name, request, rounds, warm_up) for name, request in cases.items()}
        versions = {worker.side.name: worker.versions for worker in workers}
    ours = [side.name for side in sides if side.ours and side.name not in skipped]
    return Measured(turns, ours, skipped, versions, [*load, os.getloadavg()[0]])


def _take_turns(workers, name, request, rounds, warm_up):
    replies = {worker.side.name: [] for worker in workers}
    for number in range(-warm_up, rounds):
        for worker in workers:
            print(f"{name}, round {max(number + 1, 0)} of {rounds}: {worker.side.name}", file=sys.stderr, flush=True)
            reply = worker.ask(request)
            if number >= 0:
                replies[worker.side.name].append(reply)
    return replies


def spread(values):
    """{median, min, max} of some numbers."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratios(ours, peer):
    """The peer's seconds over ours, round by round; sides that took another number of rounds are not compared."""
    return [theirs / own for own, theirs in zip(ours, peer, strict=True)]


def summarise(turns, ours):
    """{case: {side: {"seconds": spread over rounds, "p99": …, "ratios": {our side: spread}}}}; p99, over all single
    seconds, only where a hundred of them were taken."""
    return {case: _summarise_case(by_side, ours) for case, by_side in turns.items()}


def _summarise_case(by_side, ours):
    rounds = {side: [statistics.median(reply["seconds"]) for reply in replies] for side, replies in by_side.items()}
    summary = {}
    for side, replies in by_side.items():
        single = [seconds for reply in replies for seconds in reply["seconds"]]
        summary[side] = {
            "seconds": spread(rounds[side]),
            "p99": statistics.quantiles(single, n=100)[-1] if len(single) >= 100 else None,
            "ratios": {own: spread(ratios(rounds[own], rounds[side])) for own in ours if own != side},
        }
    return summary


def report(name, title, measured, notes=(), more=None):
    """Prints the table (or JSON), keeps `name`.json with every reply and draws `name`.png; returns the JSON object.

    notes: lines below the table. more: {name: value} that is kept as it is.
    """
    summary = summarise(measured.turns, measured.ours)
    machine = f"{quality_run.machine()}; load {measured.load[0]:.2f} before, {measured.load[1]:.2f} after"
    result = {"benchmark": name, "summary": summary, "machine": machine, "notes": list(notes)}
    result |= {"skipped": measured.skipped, "versions": measured.versions, "more": more or {}}
    folder = pathlib.Path(FLAGS.output)
    folder.mkdir(parents=True, exist_ok=True)
    kept = json.dumps(result | {"turns": measured.turns}, indent=1, ensure_ascii=False)
    (folder / f"{name}.json").write_text(kept, encoding="utf-8")
    paired_table.draw(folder / f"{name}.png", title, summary, machine)
    if FLAGS.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        paired_table.show(title, result, folder / name)
    return result


def command(compare):
    """The main function of a benchmark that `compare` makes: one line on stderr, and an exit code, for each failure."""

    def main(arguments):
        if arguments[1:]:
            raise app.UsageError(f"unknown argument {arguments[1]}")
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the workers, as Ctrl-C does
        try:
            compare()
        except (WorkerFailed, NotEqual, quality_run.RunError, quality_rows.RowsError, OSError) as fault:
            print(f"error: {fault}", file=sys.stderr)
            return getattr(fault, "exit_code", 2)
        except StageFailed as failed:  # has told why itself
            return failed.exit_code
        except KeyboardInterrupt:
            print("error: interrupted", file=sys.stderr)
            return 130
        return 0

    return main
