"""How much clients may want: each limit has its answer, and what is below it is served."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from corrente import _gate
from corrente._native import Operations

from .applications import body_of, echo, respond, target
from .frames import CLOSE, PING, TEXT, closed, frame
from .test_websocket import HANDSHAKE, heard
from .wire import Client, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign, Served

#: Seconds that no test reaches.
NEVER = 1000.0


def test_too_many_requests_at_once_are_sent_away_for_a_while(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()

    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        if scope["path"] == "/held":
            await gate.wait()
        await respond(send, b"served")

    served = serve(application, max_in_flight=1)
    with served.client() as held, served.client() as other:
        held.send(request("/held"))
        served.until(lambda: served.server.in_flight == 1)
        refused = other.get()
        assert refused.status == 503
        assert refused.header("retry-after") == "1"
        assert other.is_ended()
        served.call(gate.set)
        assert held.response().body == b"served"
        assert held.get().body == b"served"


def test_a_connection_has_so_many_requests(serve: Callable[..., Served]) -> None:
    served = serve(target, operations=Operations(max_connection_requests=2))
    with served.client() as client:
        assert client.get("/1").header("connection") is None
        second = client.get("/2")
        assert (second.body, second.header("connection")) == (b"/2", "close")
        assert client.is_ended()
    with served.client() as client:
        # What is behind the last one is not answered.
        client.send(request("/1") + request("/2") + request("/3"))
        assert [client.response().body for _ in range(2)] == [b"/1", b"/2"]
        assert client.is_ended()


def test_without_idle_time_no_connection_is_kept(serve: Callable[..., Served]) -> None:
    # It was closed at the next look, and a request that was on its way then got no answer.
    with serve(target, idle_timeout=0.0).client() as client:
        only = client.get("/only")
        assert (only.body, only.header("connection")) == (b"/only", "close")
        assert client.is_ended()


def test_as_many_connections_as_there_may_be_and_the_rest_waits(
    serve: Callable[..., Served],
) -> None:
    served = serve(target)
    listening = socket.create_server(("127.0.0.1", 0))
    address = listening.getsockname()
    gate = _gate.Gate(served.loop, served.server, 2)

    asyncio.run_coroutine_threadsafe(gate.listen(listening, 16, None), served.loop).result(10)
    try:
        with Client(address) as first, Client(address) as second:
            assert first.get("/1").body == b"/1"
            assert second.get("/2").body == b"/2"
            with Client(address) as third:
                third.send(request("/3"))
                # Turns of the loop in which it would have been accepted.
                for _ in range(10):
                    assert first.get("/1").body == b"/1"
                assert served.call(lambda: served.server.connections) == 2
                second.socket.close()
                assert third.response().body == b"/3"
    finally:
        served.call(gate.close)


def test_a_body_that_only_trickles_is_cut(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        with contextlib.suppress(ConnectionError):
            await respond(send, await body_of(receive))

    settings = {"head_timeout": NEVER, "body_timeout": 0.3}
    served = serve(application, **settings, operations=Operations(min_body_bytes=1_000_000))
    with served.client() as client:
        client.send(request("/", "Content-Length: 100000000", method="POST"))
        begun = time.monotonic()
        while time.monotonic() < begun + 10.0:
            served.call(served.server.look)
            try:
                client.send(b"x")
            except OSError:
                break
            if served.call(lambda: served.server.in_flight) == 0:
                break
        assert client.rest().startswith(b"HTTP/1.1 408 ")
    # One that sends enough may take longer.
    served = serve(application, **settings, operations=Operations(min_body_bytes=1000))
    with served.client() as client:
        client.send(request("/", "Content-Length: 8000", method="POST"))
        for _ in range(8):
            client.send(b"x" * 1000)
            threading.Event().wait(0.05)
            served.call(served.server.look)
        assert len(client.response().body) == 8000


def test_a_client_that_ends_its_side_gets_its_answer(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()

    async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        body = await body_of(receive)
        await gate.wait()
        await respond(send, scope["path"].encode() + body)

    served = serve(application)
    with served.client() as client:
        client.send(request("/1", method="POST", body=b"body") + request("/2"))
        client.socket.shutdown(socket.SHUT_WR)
        served.until(lambda: served.server.in_flight == 1)
        served.call(gate.set)
        assert client.response().body == b"/1body"
        assert client.response().body == b"/2"
        assert client.is_ended()


def test_a_client_that_ends_its_side_in_the_middle_is_gone(serve: Callable[..., Served]) -> None:
    served = serve(echo)
    with served.client() as client:
        client.send(request("/", "Content-Length: 9", method="POST") + b"half")
        served.until(lambda: served.server.in_flight == 1)
        client.socket.shutdown(socket.SHUT_WR)
        assert client.is_ended()
    served.until(lambda: not served.server.connections)
    assert isinstance(served.expect_report("raised an exception"), ConnectionError)


def test_who_waits_for_the_client_to_go_is_told_that_it_ended_its_side(
    serve: Callable[..., Served],
) -> None:
    async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        if scope["path"] == "/answers":
            await respond(send, b"all the same")

    served = serve(application)
    for path, expected in (("/answers", b"all the same"), ("/returns", b"")):
        with served.client() as client:
            client.send(request(path))
            served.until(lambda: served.server.in_flight == 1)
            client.socket.shutdown(socket.SHUT_WR)
            assert client.rest().endswith(expected)
        served.until(lambda: not served.server.connections)


def test_wsgi_answers_a_client_that_has_ended_its_side(serve: Callable[..., Served]) -> None:
    def application(_environ: Foreign, start_response: Foreign) -> Foreign:
        start_response("200 OK", [])
        return iter([b"x" * 100_000] * 20)

    served = serve(application, interface="wsgi")
    with served.client(receive_buffer=4096) as client:
        client.send(request())
        client.socket.shutdown(socket.SHUT_WR)
        assert len(client.response().body) == 2_000_000
        assert client.is_ended()


def opened(served: Served, *headers: str) -> Client:
    """Give a client that has shaken hands."""
    client = served.client()
    lines = "".join(f"{line}\r\n" for line in (*HANDSHAKE, *headers))
    client.send(f"GET / HTTP/1.1\r\nHost: test\r\n{lines}\r\n".encode())
    assert client.head().status == 101
    return client


def test_a_message_that_is_too_long_ends_the_websocket(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})

    served = serve(application, operations=Operations(ws_max_message_bytes=100))
    with opened(served) as client:
        client.send(frame(TEXT, b"x" * 100))
        assert heard(client) == (TEXT, b"x" * 100)
        client.send(frame(TEXT, b"x" * 101))
        kind, payload = heard(client)
        assert (kind, payload[:2]) == (CLOSE, closed(1009))


def test_messages_that_wait_are_bounded(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()
    taken: list[str] = []

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await gate.wait()
        while (message := await receive())["type"] == "websocket.receive":
            taken.append(message["text"])
            # Whoever holds one while it works holds up the next.
            await asyncio.sleep(0)
        await send({"type": "websocket.close"})

    served = serve(application, operations=Operations(ws_max_queue=2))
    with opened(served) as client:
        client.send(b"".join(frame(TEXT, b"%d" % place) for place in range(50)))
        client.send(frame(PING, b"behind"))
        client.socket.settimeout(0.2)
        # A ping that is behind them waits with them.
        with pytest.raises(TimeoutError):
            client.exactly(1)
        client.socket.settimeout(10)
        served.call(gate.set)
        assert heard(client)[1] == b"behind"
        client.send(frame(CLOSE, closed(1000)))
        assert heard(client) == (CLOSE, closed(1000))
    served.until(lambda: len(taken) == 50)
    assert taken == [str(place) for place in range(50)]


def test_compression_can_be_switched_off(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    for rule, expected in (("on", "permessage-deflate"), ("off", None)):
        served = serve(application, operations=Operations(ws_deflate=rule))
        with served.client() as client:
            offer = "Sec-WebSocket-Extensions: permessage-deflate"
            lines = "".join(f"{line}\r\n" for line in (*HANDSHAKE, offer))
            client.send(f"GET / HTTP/1.1\r\nHost: test\r\n{lines}\r\n".encode())
            found = client.head().header("sec-websocket-extensions")
            assert (found or "none").startswith(expected or "none")


def test_a_client_that_answers_no_ping_is_gone(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    served = serve(application, ping_interval=0.02, operations=Operations(pong_timeout=NEVER))
    with opened(served) as client:
        for _ in range(2):
            served.look_until(lambda: True)
            while True:
                served.call(served.server.look)
                client.socket.settimeout(0.05)
                with contextlib.suppress(TimeoutError):
                    assert heard(client) == (PING, b"")
                    break
            # An answer, and it is asked again.
            client.send(frame(10))
    served = serve(application, ping_interval=0.02, operations=Operations(pong_timeout=0.05))
    with opened(served) as client:
        served.look_until(lambda: not served.server.connections)
        assert heard(client) == (PING, b"")


def test_fields_of_every_response(serve: Callable[..., Served]) -> None:
    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        own = [(b"X-Frame", b"own")] if scope["path"] == "/own" else []
        await respond(send, b"", headers=own)

    given = Operations(headers=[(b"x-frame", b"DENY"), (b"x-kind", b"b")], date_header="off")
    served = serve(application, operations=given)
    with served.client() as client:
        found = client.get()
        assert (found.header("x-frame"), found.header("x-kind")) == ("DENY", "b")
        assert found.header("date") is None
        assert client.get("/own").header("x-frame") == "own"
