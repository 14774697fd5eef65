"""The embedded server: TensorFlow Serving's gRPC and REST faces over serving.loader, for laptops, notebooks and CI.

One event loop for the network, one thread for each gRPC request under way, a pool for those of REST, one thread that
loads versions.
"""

import asyncio
import concurrent.futures
import contextlib
import functools
import os
import signal

import grpc
from absl import logging
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from serving import models_config
from serving.contract import ServingError
from serving.server import ports, ready, tls, wire
from serving.server.batching import Loading
from serving.server.measured_version import measured
from serving.server.metrics import Metrics
from serving.server.models import Models
from serving.server.request_threads import RequestThreads
from serving.server.rest import Rest
from serving.server.status import StatusError

DRAIN_SECONDS = 30  # what a request in flight gets after SIGTERM; orchestrators kill after about as long
_TASK_SECONDS = 5  # what grpcio's own tasks get after the last answer; they need microseconds
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_CHANNEL_OPTIONS = [
    ("grpc.so_reuseport", 0),  # a second server on the port must fail, not share it
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
]


def serve(options):
    """Serves until SIGTERM (returns 0) or SIGINT (130); ServingError where the newest version cannot be loaded."""
    logging.set_verbosity(logging.INFO)
    return asyncio.run(_serve_until_signal(options))


async def _serve_until_signal(options):
    loop = asyncio.get_running_loop()
    stop = loop.create_future()
    for number in _SIGNALS:
        loop.add_signal_handler(number, _on_signal, loop, stop, number)
    await serve_until(options, stop, ready.announce)
    await _end_of_tasks()
    return 130 if stop.result() == signal.SIGINT else 0


async def serve_until(options, stop, announce):
    """Loads, serves and, when the future `stop` is done, drains.

    Calls announce(model, version, gRPC's address, REST's or None) when ready.
    """
    loading, metrics = Loading(options), Metrics()
    models = Models(
        measured(loading.load, metrics),
        options.allow_version_labels_for_unavailable_models,
        options.enable_signature_method_name_check,
        retries=options.max_num_load_retries,
        retry_seconds=max(options.load_retry_interval_micros, 0) / 1e6,
        warms_up=options.enable_model_warmup,
    )
    stop.add_done_callback(lambda _: models.give_up())
    # Left in the opposite order: requests first, then a load under way, then the versions that nobody uses any more.
    with (
        contextlib.closing(loading),
        contextlib.closing(models),
        _pool(1, "loader") as loader,
        _pool(options.rest_api_num_threads or 4 * (os.cpu_count() or 1), "rest") as rest_requests,
        contextlib.closing(RequestThreads(options.grpc_max_threads)) as threads,
    ):
        await asyncio.get_running_loop().run_in_executor(loader, _begin, models, options)
        if stop.done():
            return
        server = grpc.aio.server(options=_CHANNEL_OPTIONS)
        wire.add_services(server, models, threads, metrics)
        servicer = await _add_health(server) if options.enable_grpc_healthcheck_service else None
        address = ports.address(options.host, _bind(server, options))
        rest = Rest(models, rest_requests, metrics, options)
        rest_address = await rest.start(DRAIN_SECONDS)
        await server.start()
        for name in models:
            announce(name, models[name].newest(), address, rest_address)
        looks = {models.poll: options.file_system_poll_wait_seconds}
        if options.model_config_file:
            looks[functools.partial(_look_at_config, models, options)] = options.model_config_file_poll_wait_seconds
        polling = [asyncio.create_task(_keep_polling(look, seconds, loader)) for look, seconds in looks.items()]
        await stop
        for task in polling:
            task.cancel()
        if servicer:
            await servicer.enter_graceful_shutdown()
        await asyncio.gather(server.stop(DRAIN_SECONDS), rest.stop())


def _begin(models, options):
    """Loads what is to be served; ServingError where a model has nothing to serve, or a label comes too early."""
    config = _config_of(options)
    try:
        models.load(config)
    except StatusError as error:
        early = "; at the start nothing is loaded yet: give --allow_version_labels_for_unavailable_models as well"
        way_out = early if error.code == grpc.StatusCode.FAILED_PRECONDITION else ""
        raise ServingError(f"--model_config_file={options.model_config_file}: {error.message}{way_out}") from None
    for name in models:
        _refuse_nothing_loaded(models[name])


def _look_at_config(models, options):
    models.reload(_config_of(options))


def _config_of(options):
    if options.model_config_file:
        return models_config.read(options.model_config_file)
    return models_config.of_one(options.model_name, options.model_base_path)


async def _end_of_tasks():
    """grpcio says that it has stopped when the callers have their answers, and its own tasks may still be ending.

    Cut off by the end of the event loop, they would print tracebacks. See https://github.com/grpc/grpc/pull/37240.
    """
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=_TASK_SECONDS)


async def _keep_polling(look, seconds, loader):
    while seconds > 0:
        await asyncio.sleep(seconds)
        try:
            await asyncio.get_running_loop().run_in_executor(loader, look)
        except (ServingError, StatusError) as error:
            logging.error("models.config is left as it was: %s", error)
        except Exception:  # one bad look must not be the last one
            logging.exception("looking for versions failed")


async def _add_health(server):
    servicer = health.aio.HealthServicer()
    # The real server gives its services their short names.
    for service in ("", *wire.SERVICES, *(name.rpartition(".")[2] for name in wire.SERVICES)):
        await servicer.set(service, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    return servicer


def _bind(server, options):
    address = ports.joined(options.host, options.port)
    try:
        if options.ssl_config_file:
            return server.add_secure_port(address, tls.read(options.ssl_config_file).credentials())
        return server.add_insecure_port(address)
    except RuntimeError:
        raise ServingError(ports.refusal(options.host, options.port), exit_code=5) from None


def _refuse_nothing_loaded(versions):
    # The real server exits too when the newest version fails at its start, even where an older one would load.
    if versions.newest() is not None:
        return
    if not versions.states():
        raise ServingError(f"--model_base_path={versions.base_path} no longer holds a version; publish one")
    failed = versions.states()[0]
    raise ServingError(
        f"version {failed.number} of {versions.name} cannot be loaded: {failed.error.message}; publish a good "
        f"version or remove {os.path.join(versions.base_path, str(failed.number))}"
    )


@contextlib.contextmanager
def _pool(threads, name):
    pool = concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix=name)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _on_signal(loop, stop, number):
    stop.set_result(number)
    for each in _SIGNALS:  # the second signal: no more patience, not even for the loop
        loop.remove_signal_handler(each)
        signal.signal(each, lambda again, _: os._exit(128 + again))
