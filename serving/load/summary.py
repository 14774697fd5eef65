"""The result of a load as one dict, for --json, the table and the picture; and what its reader must not overlook."""

from serving.load.measure import LATE, OK

PERCENTILES = (50, 90, 99, 99.9)
_LATE_SHARE, _BUSY = 0.01, 0.9  # shares of late starts and of a core that leave a doubt about the latencies


def summary_of(measure, settings, answers, interrupted):
    """A dict ready for JSON. Latencies are in milliseconds, and run from when a request was due.

    settings: the flags of serving.load.flags. answers: an Answers, or None without --verify.
    """
    seconds = measure.elapsed
    a_second = measure.answered / seconds if seconds else 0.0
    found = {
        "target": settings.target,
        "model": settings.model,
        "loop": "open" if settings.rate else "closed",
        "rate": settings.rate,
        "arrivals": settings.arrivals if settings.rate else None,
        "concurrency": settings.concurrency,
        "batch_size": settings.batch_size,
        "warmup_seconds": settings.warmup_seconds,
        "seconds": seconds,
        "interrupted": interrupted,
        "sent": measure.sent,
        "answered": measure.answered,
        "failed": measure.failed,
        "unfinished": measure.sent - measure.answered - measure.failed,
        "answers_per_second": a_second,
        "texts_per_second": a_second * settings.batch_size,
        "latency_ms": _latencies(measure.outcomes[OK]),
        "errors": _errors(measure.outcomes),
        "late_starts": measure.late if settings.rate else None,
        "latest_start_ms": 1000 * measure.latest if settings.rate else None,
        "unsent": measure.unsent if settings.rate else None,
        "cpu_share": measure.cpu_share,
        "over_time": [dict(zip(("sent", "answered", "failed"), second, strict=True)) for second in measure.seconds],
        "verify": answers.to_dict() if answers else None,
    }
    return found | {"warnings": list(_warnings(found))}


def _latencies(outcome):
    """{"p50": …, "max": …} in milliseconds, None where nothing ended so."""
    found = outcome.milliseconds((*PERCENTILES, 100))
    names = [*(f"p{percentile:g}" for percentile in PERCENTILES), "max"]
    return {name: found.get(percentile) for name, percentile in zip(names, (*PERCENTILES, 100), strict=True)}


def _errors(outcomes):
    """One dict for each gRPC status that is no answer, the most frequent first."""
    failed = sorted((item for item in outcomes.items() if item[0] != OK), key=lambda item: -item[1].count)
    return [
        {"code": code, "count": outcome.count, "first_message": outcome.message, "latency_ms": _latencies(outcome)}
        for code, outcome in failed
    ]


def _warnings(found):
    busy = found["cpu_share"] is not None and found["cpu_share"] > _BUSY
    if found["interrupted"]:
        yield "interrupted: this is what had been measured until then"
    if found["late_starts"] and found["late_starts"] > _LATE_SHARE * found["sent"]:
        unsent = f", and {found['unsent']:,} that were due were never sent" if found["unsent"] else ""
        yield (
            f"the load generator could not keep the schedule: {found['late_starts'] / found['sent']:.1%} of the "
            f"requests started more than {1000 * LATE:g} ms late, by {found['latest_start_ms']:,.0f} ms at most, which "
            f"is in the latencies{unsent}; give a lower --rate, a larger --batch_size, or a machine with more to spare"
        )
    if busy:
        yield (
            f"the load generator used {found['cpu_share']:.0%} of a core, and it has one: part of the latencies is its "
            "own; share the load among several processes"
        )
    if found["verify"] and found["verify"]["over"]:
        yield (
            f"{found['verify']['over']} of {found['verify']['texts']} texts got more than {found['verify']['allowed']} "
            "distinct answers"
        )
