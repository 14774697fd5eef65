"""A package registry on 127.0.0.1, port 0: simple index pages and files, a log of requests, and faults on demand."""

import base64
import contextlib
import hashlib
import http.server
import re
import ssl
import threading


class Registry:
    """Serves `files` (`{file name: bytes}`) under /simple/<package>/ and /files/; `log` lists (path, headers)."""

    def __init__(self, files, declare=True):
        self.files, self.declare = files, declare  # declare: write the sha256 into the index page
        self.log = []
        self.password = None  # where set, Basic credentials user:password are demanded
        self.cut = 0  # this many answers with a file break off in the middle
        self.ranges = True
        self.failing = {}  # {path prefix: HTTP status}
        self.url = ""

    @property
    def index(self):
        return f"{self.url}/simple"

    def index_with(self, credentials):
        return self.index.replace("//", f"//{credentials}@")

    def page(self):
        links = ""
        for name, content in self.files.items():
            digest = f"#sha256={hashlib.sha256(content).hexdigest()}" if self.declare else ""
            links += f'<a href="/files/{name}{digest}">{name}</a>\n'
        return f"<!DOCTYPE html><html><body>{links}</body></html>".encode()


@contextlib.contextmanager
def serving(files, certificate="", **options):
    """A running Registry, over https where `certificate` is a PEM file of certificate and key; shut down at the end."""
    registry = Registry(files, **options)
    handler = type("Handler", (_Handler,), {"registry": registry})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    registry.url = f"http://127.0.0.1:{server.server_port}"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        registry.url = registry.url.replace("http:", "https:")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    registry = None

    def do_HEAD(self):
        self._answer(405, b"")

    def do_GET(self):
        own = self.registry
        own.log.append((self.path, dict(self.headers)))
        status = next((status for prefix, status in own.failing.items() if self.path.startswith(prefix)), None)
        if status:
            self._answer(status, b"")
        elif own.password and self.headers.get("Authorization") != _basic(own.password):
            self._answer(401, b"")
        elif self.path.startswith("/simple/"):
            self._answer(200, own.page())
        else:
            self._file(own.files.get(self.path.removeprefix("/files/")))

    def _file(self, content):
        if content is None:
            return self._answer(404, b"")
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and self.registry.ranges else 0
        body = content[start:]
        if not self.registry.cut:
            return self._answer(206 if start else 200, body)
        self.registry.cut -= 1
        self._answer(206 if start else 200, body[: len(body) // 2], length=len(body))

    def _answer(self, status, body, length=None):
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if self.path.startswith("/simple/") else "application/zip")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_):
        pass


def _basic(password):
    return "Basic " + base64.b64encode(f"user:{password}".encode()).decode()
