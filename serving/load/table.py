"""The result of a load for people: a table of latencies by outcome, then the facts, one a line."""

from serving.client.errors import one_line
from serving.client.table import table_of


def lines_of(summary):
    """The lines of the dict of summary.summary_of."""
    yield _title(summary)
    yield ""
    yield table_of(list(_rows(summary)))
    yield ""
    facts = list(_facts(summary))
    width = max(len(name) for name, _ in facts)
    yield from (f"{name:<{width}}  {value}" for name, value in facts)


def _title(summary):
    if summary["loop"] == "open":
        how = f"open loop, {summary['rate']:,.10g} requests/s ({summary['arrivals']})"
        counted = "from when each request was due"
    else:
        how, counted = f"closed loop, {_counted(summary['concurrency'], 'caller')}", "from sending"
    texts = f"{_counted(summary['batch_size'], 'text')} each"
    return f"{summary['model']} at {summary['target']}: {how}, {texts}; latency {counted}"


def _counted(number, what):
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _rows(summary):
    """A row for the answers and for each error."""
    yield _row("answered", summary["answered"], summary["latency_ms"])
    for error in summary["errors"]:
        yield _row(error["code"], error["count"], error["latency_ms"])


def _row(outcome, count, latencies):
    told = {f"{name} ms": "-" if value is None else f"{value:,.2f}" for name, value in latencies.items()}
    return {"outcome": outcome, "requests": f"{count:,}"} | told


def _facts(summary):
    parts = (f"{summary[name]:,} {name}" for name in ("sent", "answered", "failed", "unfinished"))
    yield "requests", f"{', '.join(parts)} in {summary['seconds']:.1f} s"
    each, texts = summary["answers_per_second"], summary["texts_per_second"]
    yield "throughput", f"{each:,.1f} answers/s, {texts:,.1f} texts/s"
    if summary["loop"] == "open":
        late, latest = summary["late_starts"], summary["latest_start_ms"]
        yield "schedule", f"{_counted(late, 'request')} started late, the latest by {latest:,.1f} ms"
    if summary["cpu_share"] is not None:
        yield "generator", f"{summary['cpu_share']:.0%} of a core"
    for error in summary["errors"]:
        yield error["code"], f"first: {one_line(error['first_message'])}"
    if summary["verify"]:
        yield from _verified(summary["verify"])
    for warning in summary["warnings"]:
        yield "warning", warning


def _verified(verify):
    groups = (f"{texts:,} with {number}" for number, texts in verify["texts_by_distinct_answers"].items())
    told = ", ".join(groups) or "none"
    asked = f"{_counted(verify['answers'], 'answer')} to {_counted(verify['texts'], 'text')}"
    yield "verify", f"{asked}; distinct answers to a text: {told}"
    for example in verify["examples"]:
        counts = " + ".join(str(each["count"]) for each in example["answers"])
        yield "", f"{counts} times different: {one_line(example['text'], 80)}"
