"""One load from its flags to its result: read texts, see in one request that the model answers, run the loop, show."""

import asyncio
import json
import sys
import time
import warnings

from serving.client import AsyncClient, RetryBudget, SlipwayError
from serving.client.errors import one_line
from serving.client.tls_flags import tls_of
from serving.contract import ServingError
from serving.load import run, texts
from serving.load.answers import Answers
from serving.load.flags import parse
from serving.load.measure import Measure
from serving.load.progress import watch
from serving.load.summary import summary_of
from serving.load.table import lines_of


def main(argv=None):
    """Runs one command; returns its exit code. The result goes to stdout, progress and one line of error to stderr."""
    try:
        return _load(parse(argv))
    except (ServingError, SlipwayError) as error:
        return _fail(error, error.exit_code)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)


def _load(settings):
    """Sends, measures, shows; ServingError and SlipwayError come before the first measured request, or not at all."""
    rows = texts.read_rows(settings.texts, settings.text_pairs)
    client, batches = _client(settings), texts.batches(rows, settings.batch_size, settings.seed)
    answers = Answers(settings.verify, settings.tolerance) if settings.verify else None
    with asyncio.Runner(loop_factory=run.event_loop) as runner:
        runner.run(_first_request(client, next(batches), settings.signature))
        began = time.monotonic()
        measure = Measure(began + settings.warmup_seconds)
        interrupted = False
        try:
            asker = run.Asker(client, batches, settings.signature, measure, answers)
            progress = watch(measure, began, measure.began + settings.seconds)
            runner.run(run.load(asker, settings, began, progress))
        except KeyboardInterrupt:
            interrupted = True
        measure.finish(time.monotonic())
        runner.run(client.close())
    summary = summary_of(measure, settings, answers, interrupted)
    _show(summary, settings)
    if settings.picture:
        _draw(summary, settings, measure)
    return _exit_code(summary)


def _client(settings):
    """The AsyncClient that the flags name; what it warns of goes to stderr, one line each."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            client = AsyncClient(
                settings.target,
                settings.model,
                version=settings.version,
                label=settings.label,
                deadline=settings.deadline,
                max_batch_size=settings.batch_size,  # one request each, whatever its size
                tls=tls_of(settings),
                retry_budget=RetryBudget(0, 0),  # what a server refuses is to be seen
            )
        except (TypeError, ValueError) as error:
            raise ServingError(str(error)) from None
    for warning in warned:
        print(f"warning: {warning.message}", file=sys.stderr)
    return client


async def _first_request(client, rows, signature):
    """Fails where no request can succeed: no server, another model, other inputs. It also reads the contract."""
    try:
        await run.ask(client, rows, signature)
    except BaseException:
        await client.close()
        raise


def _show(summary, settings):
    if settings.json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        print("\n".join(lines_of(summary)))


def _draw(summary, settings, measure):
    from serving.load import picture  # half a second, which a load without a picture need not wait

    try:
        picture.draw(settings.picture, next(lines_of(summary)), measure)
    except OSError as error:
        raise ServingError(f"--picture={settings.picture}: {error.strerror}", 5) from None


def _exit_code(summary):
    if summary["interrupted"]:
        return 130
    if summary["verify"] and summary["verify"]["over"]:
        return 3
    return 4 if summary["failed"] and not summary["answered"] else 0


def _fail(error, code):
    print(f"error: {one_line(str(error), 1000)}", file=sys.stderr)
    return code
