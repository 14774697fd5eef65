"""REST beside gRPC, in its event loop: HTTP on one side, rest_methods.py and the page of the metrics on the other.

Sources: tensorflow_serving/model_servers/http_server.cc; evhttp_server.cc, evhttp_request.cc and gzip_zlib.h below
tensorflow_serving/util/net_http. As there, a body may be of any size, a compressed one unpacks to 10 MiB at most and
counts as empty where it does not, and 405 is no answer. As the session cannot be stopped, a request whose time is up is
answered, and its thread works on until the run ends.
"""

import asyncio
import http
import logging
import re
import zlib

import grpc
from aiohttp import web

from serving.server import deadline, json_answers, metrics, monitoring_config, ports, rest_paths
from serving.server.rest_methods import METHODS
from serving.server.status import StatusError, logged, status_of

_CODES = {
    "CANCELLED": 499,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "UNAUTHENTICATED": 401,
}  # any other: 500
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}
_ALLOWED = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")
_MOST_UNPACKED = 10 << 20
_GZIP = 16 + zlib.MAX_WBITS


class Rest:
    """The HTTP server of one port."""

    def __init__(self, models, pool, counted, options):
        """models: Models, pool: runs the work, counted: Metrics, options: Options."""
        self._models, self._pool, self._counted = models, pool, counted
        self._host, self._port = options.host, options.rest_api_port
        self._seconds = options.rest_api_timeout_in_ms / 1000 or None
        self._headers = _CORS if options.rest_api_enable_cors_support else {}
        path = options.monitoring_config_file
        self._metrics_path = monitoring_config.metrics_path(path) if path else None
        self._runner = None

    async def start(self, drain_seconds):
        """Listens and returns `host:port` to dial, None where no REST is wanted; ServingError (exit 5) as `ports`."""
        if self._port == 0:
            return None
        listener = ports.listener(self._host, self._port or 0, "--rest_api_port")
        port = listener.getsockname()[1]
        app = web.Application()
        app.router.add_route("*", r"/{path:[\s\S]*}", self._handle)
        # Its log would hold tracebacks of HTTP that others broke; what breaks here is answered and logged here.
        quiet = logging.getLogger(__name__)
        quiet.setLevel(logging.CRITICAL)
        self._runner = web.AppRunner(
            app, access_log=None, logger=quiet, auto_decompress=False, shutdown_timeout=drain_seconds
        )
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()
        return ports.address(self._host, port)

    async def stop(self):
        """Takes nothing new and waits for what is under way."""
        if self._runner:
            await self._runner.cleanup()

    async def _handle(self, request):
        method, path = request.method, request.raw_path
        if method not in _ALLOWED:
            return _page(501)
        if self._metrics_path and path.partition("?")[0] == self._metrics_path:
            return self._metrics_page(path)
        if not rest_paths.OURS.fullmatch(path):
            return _page(404)
        if method == "OPTIONS":
            return self._preflight(request.headers.get("Origin", ""))
        try:
            body = await request.content.read()
        except (web.RequestPayloadError, ConnectionError):
            return _page(400)
        packed = "gzip" in request.headers.get("Content-Encoding", "")
        return await self._answer(method, path, body, packed)

    async def _answer(self, method, path, body, packed):
        """The answer to a request, or to what is wrong with it."""
        try:
            api, spec = self._asked(method, path)
            with self._counted.request(spec.name, api if method == "POST" else "", "REST"):
                return self._response(200, await self._worked(api, spec, body, packed))
        except Exception as error:
            status = logged(status_of(error))
        silent = isinstance(status, rest_paths.UnreadableVersion)
        return self._response(_code(status), b"" if silent else _encoded(json_answers.error(status.message)))

    def _asked(self, method, path):
        try:
            return rest_paths.asked(method, path)
        except Exception as error:
            self._counted.answered("", status_of(error).code.name)
            raise

    async def _worked(self, api, spec, body, packed):
        end = deadline.end_of(self._seconds)
        work = asyncio.get_running_loop().run_in_executor(self._pool, self._work, end, api, spec, body, packed)
        try:
            return await asyncio.wait_for(work, self._seconds)
        except TimeoutError:  # in the words of TensorFlow's session
            raise StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, "Timed out waiting for notification") from None

    def _work(self, end, api, spec, body, packed):
        with deadline.until(end), metrics.answering(spec.name, api.capitalize()):
            return _encoded(METHODS[api](self._models, spec, _unpacked(body) if packed else body))

    def _preflight(self, origin):
        try:
            with self._counted.request("", "", "REST"):
                if not re.search("https?://", origin):
                    raise StatusError(grpc.StatusCode.FAILED_PRECONDITION, "Origin header is missing in CORS preflight")
        except StatusError as error:
            return self._response(_code(error), b"")
        return self._response(200, b"")

    def _metrics_page(self, path):
        if path != self._metrics_path:
            return web.Response(status=400, text=f"Unexpected path: {path}. Should be {self._metrics_path}")
        return web.Response(text=self._counted.page())

    def _response(self, code, body):
        return web.Response(status=code, body=body, content_type="application/json", headers=self._headers)


def _code(status):
    return _CODES.get(status.code.name, 500)


def _encoded(text):
    return text.encode("utf-8", "surrogateescape")


def _unpacked(body):
    """The content of a gzip body, nothing where it is damaged or too large."""
    unpacking = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacking.decompress(body, _MOST_UNPACKED + 1)
    except zlib.error:
        return b""
    whole = unpacking.eof and not unpacking.unused_data and len(unpacked) <= _MOST_UNPACKED
    return unpacked if whole else b""


def _page(code):
    """What libevent answers by itself."""
    phrase = http.HTTPStatus(code).phrase
    text = f"<HTML><HEAD>\n<TITLE>{code} {phrase}</TITLE>\n</HEAD><BODY>\n<H1>{phrase}</H1>\n</BODY></HTML>\n"
    return web.Response(status=code, text=text, content_type="text/html")
