"""`corrente gauge run` with HTTP clients: a call counts once, with all that its client computes."""

from __future__ import annotations

import http.server
import threading
import time
from typing import TYPE_CHECKING

import pytest

from gauge_service import GUNICORN, Document, Service, endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How long the body of a slow answer lets its reader wait, after its headers.
BODY_S = 0.05

PROGRAM = """
import http.client, inspect, os
import httpx, requests, urllib3

ORIGIN = os.environ["ORIGIN"]
session = requests.Session()
pools = urllib3.PoolManager()
client = httpx.Client()

def streamed(path):
    with session.get(ORIGIN + path, stream=True) as response:
        return b"".join(response.iter_content(5))

def streamed_by_httpx(path):
    with client.stream("GET", ORIGIN + path) as response:
        return b"".join(response.iter_bytes())

def streamed_by_urllib3(path):
    response = pools.request("GET", ORIGIN + path, preload_content=False)
    return b"".join(response.stream(5))

def by_hand():
    connection = http.client.HTTPConnection(ORIGIN.partition("://")[2])
    connection.request("GET", "/plain")
    return connection.getresponse().read()

def prepared():
    request = session.prepare_request(requests.Request("GET", ORIGIN + "/plain"))
    return session.send(request).content

def refused():
    try:
        requests.get("http://127.0.0.1:1/")
    except requests.ConnectionError as error:
        return error.request.url.encode()

def signatures():
    wrapped = [requests.request, requests.Session.request, requests.Session.send,
               urllib3.PoolManager.urlopen, httpx.Client.request]
    names = [name for one in wrapped for name in inspect.signature(one).parameters]
    return ",".join(names).encode()

PATHS = {
    "/function": lambda: requests.get(ORIGIN + "/plain").content,
    "/session": lambda: session.get(ORIGIN + "/plain").content,
    "/prepared": prepared,
    "/redirected": lambda: session.get(ORIGIN + "/redirect").content,
    "/secret": lambda: session.get(
        ORIGIN.replace("://", "://user:word@") + "/plain?q=hidden").content,
    "/urllib3": lambda: pools.request("GET", ORIGIN + "/plain").data,
    "/httpx": lambda: client.get(ORIGIN + "/plain").content,
    "/by-hand": by_hand,
    "/streamed": lambda: streamed("/slow"),
    "/streamed-in-chunks": lambda: streamed("/chunks"),
    "/streamed-by-urllib3": lambda: streamed_by_urllib3("/chunks"),
    "/streamed-by-httpx": lambda: streamed_by_httpx("/slow"),
    "/refused": refused,
    "/signatures": signatures,
}

def app(environ, start_response):
    body = PATHS[environ["PATH_INFO"]]() if environ["PATH_INFO"] in PATHS else b""
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


class Origin(http.server.BaseHTTPRequestHandler):
    """Answers at once, with a body that comes later, in chunks, or elsewhere."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        body = b"hello world"
        path = self.path.partition("?")[0]
        self.send_response(302 if path == "/redirect" else 200)
        if path == "/redirect":
            self.send_header("Location", "/plain")
        in_chunks = path == "/chunks"
        length = ("Transfer-Encoding", "chunked") if in_chunks else ("Content-Length", "11")
        self.send_header(*length)
        self.end_headers()
        self.wfile.flush()
        if path in {"/slow", "/chunks"}:
            time.sleep(BODY_S)
        if in_chunks:
            body = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    """Give the host and port of a service that is called."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    # Handlers of connections that clients keep open are not waited for.
    server.daemon_threads, server.block_on_close = True, False
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def recorded(service: Service, origin: str, *paths: str) -> Document:
    """Have each of the paths asked some times, and give the recording."""
    service.environment["ORIGIN"] = f"http://{origin}"
    service.environment["NO_PROXY"] = "*"
    service.write("service.py", PROGRAM)
    service.start(*GUNICORN, "service:app")
    for path in paths:
        for _ in range(5):
            assert service.ask(path) == (200, b"hello world")
    return service.recording()


def only_calls(recording: Document, path: str) -> Document:
    """Give what an endpoint calls, if that is one resource."""
    (calls,) = endpoint(recording, f"GET {path}")["calls"]
    document: Document = calls
    return document


def test_a_call_counts_once_to_the_client_that_the_program_called(
    service: Service, origin: str
) -> None:
    clients = {
        "/function": "requests",
        "/session": "requests",
        "/prepared": "requests",
        "/redirected": "requests",
        "/urllib3": "urllib3",
        "/httpx": "httpx",
        "/by-hand": "http.client",
    }
    recording = recorded(service, origin, *clients)
    for path, driver in clients.items():
        calls = only_calls(recording, path)
        assert calls["resource"] == {"kind": "http", "driver": driver, "host": origin}, path
        assert calls["per_request"]["sum"] == 5, path
        assert calls.get("entered", False) == (driver != "http.client"), path
        # What the client itself computes is in it: nothing else of the request is worth mentioning.
        if path not in {"/prepared", "/by-hand"}:
            whole = endpoint(recording, f"GET {path}")["cpu_ns"]["sum"]
            assert calls["cpu_ns"] > 0.75 * whole, path


def test_a_body_that_is_read_later_waits_for_the_same_resource(
    service: Service, origin: str
) -> None:
    clients = {
        "/streamed": "requests",
        "/streamed-in-chunks": "requests",
        "/streamed-by-urllib3": "urllib3",
        "/streamed-by-httpx": "httpx",
    }
    recording = recorded(service, origin, *clients)
    for path, driver in clients.items():
        calls = only_calls(recording, path)
        assert (calls["resource"]["driver"], calls["resource"]["host"]) == (driver, origin), path
        assert calls["per_request"]["sum"] == 5, path
        assert calls["continued_ns"] > 5 * 0.8 * BODY_S * 1e9, path


def test_exceptions_and_signatures_are_what_they_were(service: Service, origin: str) -> None:
    service.environment["ORIGIN"] = f"http://{origin}"
    service.write("service.py", PROGRAM)
    service.start(*GUNICORN, "service:app")
    assert service.ask("/refused") == (200, b"http://127.0.0.1:1/")
    names = service.ask("/signatures")[1].decode().split(",")
    assert {"method", "url", "request", "redirect", "content", "kwargs"} <= set(names)
    assert not {"args", "details"} & set(names)
    calls = only_calls(service.recording(), "/refused")
    assert calls["resource"]["host"] == "127.0.0.1:1"


def test_of_a_url_host_and_port_alone_are_kept(service: Service, origin: str) -> None:
    recording = recorded(service, origin, "/secret")
    assert only_calls(recording, "/secret")["resource"]["host"] == origin
    assert not any(word in str(recording) for word in ("user:", "word@", "hidden", "?q"))
