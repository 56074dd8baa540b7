"""Behind streams of HTTP/2: several applications, WSGI in threads, Unix sockets, logs, commands."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from typing import TYPE_CHECKING
from wsgiref.validate import validator

import pytest

from .applications import PLAIN, THREADS, wsgi_echo
from .commands import Command, program
from .frames import CLOSE, TEXT, closed, frame
from .streams import Http2Client, pseudo
from .talks import Talk
from .test_mounts import MOUNTS, asgi, wsgi
from .wire import LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .serving import Foreign, Served


def test_streams_of_a_connection_go_to_several_applications(serve: Callable[..., Served]) -> None:
    served = serve(wsgi("main"), interface="wsgi", root_path="/base", mounts=MOUNTS)
    told = {
        "/x": ["main", "/base", "/x", True],
        "/base/x": ["main", "/base", "/x", True],
        "/apiary": ["main", "/base", "/apiary", True],
        "/api/x?y=/api/old": ["api", "/base/api", "/base/api/x", {"is": "kept"}],
        "/%61pi/x": ["api", "/base/api", "/base/api/x", {"is": "kept"}],
        "/base/api/old/x": ["old", "/base/api/old", "/x", True],
    }
    with Http2Client(served.address) as client:
        streams = {path: client.ask(path) for path in told}
        found = {path: json.loads(client.answer(streams[path]).body) for path in told}
    assert found == told


def test_a_websocket_goes_to_the_application_of_its_path(serve: Callable[..., Served]) -> None:
    async def talking(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": scope["root_path"] + scope["path"]})
        await receive()

    served = serve(asgi("main"), mounts=[("/chat", talking, "asgi", None)])
    with Http2Client(served.address) as client:
        talk = Talk(client, "/chat/room").opened()
        assert talk.heard() == (TEXT, b"/chat/chat/room")


def test_streams_of_a_connection_overlap_in_threads(
    serve_in_threads: Callable[..., Served],
) -> None:
    together = threading.Barrier(THREADS)
    threads = set()

    def application(environ: Foreign, start_response: Foreign) -> list[bytes]:
        threads.add(threading.current_thread())
        together.wait(LIMIT_S)
        start_response("200 OK", PLAIN)
        return [environ["PATH_INFO"].encode()]

    with Http2Client(serve_in_threads(validator(application)).address) as client:
        for _ in range(2):
            streams = [client.ask(f"/{number}") for number in range(THREADS)]
            bodies = [client.answer(stream).body for stream in streams]
            assert bodies == [b"/%d" % number for number in range(THREADS)]
    assert len(threads) == THREADS, "threads are kept"


def test_more_than_may_wait_for_a_thread_are_refused(
    serve_in_threads: Callable[..., Served],
) -> None:
    may_end = threading.Event()
    running = threading.Semaphore(0)

    def application(_environ: Foreign, start_response: Foreign) -> list[bytes]:
        running.release()
        assert may_end.wait(LIMIT_S)
        start_response("200 OK", PLAIN)
        return [b"done"]

    served = serve_in_threads(application, max_queued=2)
    with Http2Client(served.address) as client:
        streams = [client.ask() for _ in range(THREADS)]
        for _ in range(THREADS):
            assert running.acquire(timeout=LIMIT_S)
        streams += [client.ask() for _ in range(2)]
        served.until(lambda: served.server.in_flight == THREADS + 2)
        refused = client.get()
        assert (refused.status, refused.header("retry-after")) == (503, "1")
        may_end.set()
        assert [client.answer(stream).body for stream in streams] == [b"done"] * (THREADS + 2)


@pytest.mark.parametrize("size", [0, 1, 1_000_000])
def test_bodies_go_both_ways_in_threads(serve_in_threads: Callable[..., Served], size: int) -> None:
    body = b"x" * size
    with Http2Client(serve_in_threads(wsgi_echo).address) as client:
        streams = [client.ask(method="POST", ends=False) for _ in range(2)]
        for stream in streams:
            client.upload(stream, body)
        assert [client.answer(stream).body for stream in streams] == [body] * 2


def test_a_piece_does_not_wait_for_the_next_one(serve_in_threads: Callable[..., Served]) -> None:
    has_come = threading.Event()

    def application(_environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        write = start_response("200 OK", PLAIN)
        write(b"zero")
        yield b"one"
        assert has_come.wait(LIMIT_S)
        yield b"two"

    with Http2Client(serve_in_threads(application).address) as client:
        stream = client.ask()
        client.until(lambda: client.answers[stream].body == b"zeroone")
        has_come.set()
        assert client.answer(stream).body == b"zeroonetwo"


def test_a_thread_waits_for_the_clients_window(serve_in_threads: Callable[..., Served]) -> None:
    given = []

    def application(environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        for number in range(0 if environ["PATH_INFO"] == "/other" else 200):
            given.append(number)
            yield b"x" * 10_000

    with Http2Client(serve_in_threads(application).address, takes=False) as client:
        stream = client.ask()
        client.until(lambda: len(client.answers[stream].body) == 65_535)
        for _ in range(20):
            assert client.get("/other").status == 200
        assert len(given) < 100, "nothing holds it back"
        client.takes = True
        client.connection.acknowledge_received_data(65_535, stream)
        client.flush()
        assert len(client.answer(stream).body) == 2_000_000


def test_a_client_that_resets_frees_the_thread(serve_in_threads: Callable[..., Served]) -> None:
    closed_it = threading.Event()

    def application(_environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        try:
            while True:
                yield b"x" * 100_000
        finally:
            closed_it.set()

    served = serve_in_threads(application)
    with Http2Client(served.address) as client:
        stream = client.ask()
        client.until(lambda: bool(client.answers[stream].body))
        client.connection.reset_stream(stream, 8)
        client.flush()
        assert closed_it.wait(LIMIT_S)
        served.until(lambda: served.server.in_flight == 0)


def test_an_exception_in_a_thread_is_reported(serve_in_threads: Callable[..., Served]) -> None:
    def application(environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        if environ["PATH_INFO"] == "/begun":
            yield b"one"
        raise ValueError("mine")

    served = serve_in_threads(application)
    with Http2Client(served.address) as client:
        answer = client.get("/")
        assert (answer.status, answer.reset) == (500, None)
        assert str(served.expect_report("raised an exception")) == "mine"
        answer = client.get("/begun")
        assert (answer.status, answer.is_ended, answer.reset) == (200, False, 2)
        assert str(served.expect_report("raised an exception")) == "mine"


BOTH = """
import json, threading

async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": scope["root_path"] + message["text"]})
        return
    if scope["type"] != "http":
        raise NotImplementedError
    if scope["path"].endswith("/waits"):
        await receive()
        await receive()
        return
    told = [scope["root_path"], scope["path"], scope["http_version"], scope["client"]]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})

here = threading.Barrier(4)

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/together":
        here.wait(20)
    return [threading.current_thread().name.encode()]
"""


def test_both_kinds_by_the_command_line(tmp_path: Path) -> None:
    words = ("--mount", "/api=shop:app", "--threads", "4")
    with Command(tmp_path, "shop:wsgi", *words, text=BOTH) as command:
        address = command.address()
        with Http2Client(address) as client:
            # Four of them run at once, or none of them ends.
            streams = [client.ask("/together") for _ in range(4)]
            api = client.get("/api/x")
            assert json.loads(api.body)[:3] == ["/api", "/api/x", "2"]
            names = {client.answer(stream).body for stream in streams}
            assert names == {b"corrente-wsgi-%d" % number for number in (1, 2, 3, 4)}
            talk = Talk(client, "/api/chat").opened()
            talk.send(frame(TEXT, b"!"))
            assert talk.heard() == (TEXT, b"/api!")
            talk.send(frame(CLOSE, closed(1000)))
            assert talk.heard() == (CLOSE, closed(1000))
            talk.end()
        host, port = address
        url = f"http://{host}:{port}/api/y"
        with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:
            assert json.loads(answer.read())[:3] == ["/api", "/api/y", "1.1"]
        command.stop()


def test_a_unix_socket(here: Path) -> None:
    path = here / "shop.sock"
    with Command(here, "shop:app", "--bind", f"unix:{path}", text=BOTH) as command:
        command.address()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(path))
        with Http2Client(connection) as client:
            forwarded = ("x-forwarded-for", "192.0.2.7")
            # A Unix socket's peer is trusted, and has no address of its own.
            assert json.loads(client.get("/a").body) == ["", "/a", "2", None]
            assert json.loads(client.get("/a", forwarded).body)[3] == ["192.0.2.7", 0]
            talk = Talk(client).opened()
            talk.send(frame(TEXT, b"hello"))
            assert talk.heard() == (TEXT, b"hello")
        command.stop()


def test_the_proxy_protocol_names_the_client_of_all_streams(tmp_path: Path) -> None:
    words = ("--proxy-protocol", "required")
    with Command(tmp_path, "shop:app", *words, text=BOTH) as command:
        connection = socket.create_connection(command.address())
        connection.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n")
        with Http2Client(connection) as client:
            for _ in range(2):
                assert json.loads(client.get("/").body)[3] == ["192.0.2.7", 4711]
        command.stop()


def test_each_stream_is_a_line_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    words = ("--access-log", str(log), "--access-log-format", "json", "--request-id", "on")
    with Command(tmp_path, "shop:app", *words, text=BOTH) as command:
        with Http2Client(command.address()) as client:
            asked = client.get("/a?b", ("user-agent", "me"))
            talk = Talk(client, "/chat").opened()
            identity = talk.answer.header("x-request-id")
            talk.send(frame(TEXT, b"hello"))
            assert talk.heard() == (TEXT, b"hello")
            talk.send(frame(CLOSE, closed(1000)))
            talk.until_end()
            talk.end()
            refused = client.answer(client.ask_with([*pseudo(), ("host", "other")]))
            assert refused.status == 400
            waiting = client.ask("/waits")
            # It is answered behind the one that waits, so that one has begun.
            client.get("/b")
            client.connection.reset_stream(waiting, 8)
            client.flush()
            client.get("/c")
        command.stop()
    found = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    keys = ("method", "path", "version", "status")
    assert [[line[key] for key in keys] for line in found] == [
        ["GET", "/a", "HTTP/2", 200],
        ["CONNECT", "/chat", "HTTP/2", 200],
        ["", "", "HTTP/2", 400],
        ["GET", "/b", "HTTP/2", 200],
        ["GET", "/waits", "HTTP/2", 499],
        ["GET", "/c", "HTTP/2", 200],
    ]
    assert (found[0]["query"], found[0]["user_agent"]) == ("b", "me")
    assert found[0]["request_id"] == asked.header("x-request-id")
    assert found[1]["request_id"] == identity
    identities = [line["request_id"] for line in found if line["method"]]
    assert len(set(identities)) == len(identities) == 5


WAITING = program(
    """
if scope["path"] == "/api/open":
    gate.set()
await send({"type": "http.response.start", "status": 200, "headers": []})
await send({"type": "http.response.body", "body": str(running).encode()})
""",
    before="""
import threading

gate = threading.Event()
running = 0

def wsgi(environ, start_response):
    global running
    running += 1
    gate.wait(20)
    start_response("200 OK", [])
    return [b"done"]
""",
)


def test_a_limit_of_requests_that_wait_for_a_thread_is_set(tmp_path: Path) -> None:
    before = ("env", "CORRENTE_MAX_QUEUED_REQUESTS=2")
    words = ("shop:wsgi", "--threads", "2", "--mount", "/api=shop:app")
    with Command(tmp_path, *words, text=WAITING, before=before) as command:
        with Http2Client(command.address()) as client:
            streams = [client.ask() for _ in range(2)]
            while client.get("/api/running").body != b"2":
                pass
            streams += [client.ask() for _ in range(2)]
            assert client.get("/").status == 503
            client.get("/api/open")
            assert [client.answer(stream).body for stream in streams] == [b"done"] * 4
        command.stop()
