"""How long clients may take, and how much of what they send and do not read is held in memory."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

import corrente

from .applications import echo, respond, target
from .wire import LIMIT_S, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign, Served
    from .wire import Client

#: Seconds that no test reaches.
NEVER = 1000.0

#: Bytes that may be held for one connection: what is read at once, and what waits to be asked for.
HELD_MOST = 1024 * 1024

#: Bytes of a body that may wait for an application that does not ask for it: a little less than a
#: read of 64 KiB, and one more.
UNASKED_MOST = 2 * 64 * 1024

#: Bytes that asyncio's transports read at once.
READ_MOST = 256 * 1024


def send_until_full(client: Client, length: int, piece: int) -> int:
    """Send a body until all buffers on the way are full; give how much of it was sent."""
    client.socket.settimeout(0.2)
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < length:
            sent += client.socket.send(b"x" * min(piece, length - sent))
    assert sent < length
    client.socket.settimeout(LIMIT_S)
    return sent


def test_a_slow_head_is_cut(serve: Callable[..., Served]) -> None:
    served = serve(target, head_timeout=0.05, body_timeout=NEVER, idle_timeout=NEVER)
    with served.client() as client:
        client.send(b"GET / HT")
        served.until(lambda: served.server.connections == 1)
        served.look_until(lambda: not served.server.connections)
        response = client.response()
        assert response.status == 408
        assert response.header("connection") == "close"
        assert client.is_ended()


def test_bytes_do_not_gain_time_for_a_head(serve: Callable[..., Served]) -> None:
    served = serve(target, head_timeout=0.2, body_timeout=NEVER, idle_timeout=NEVER)
    with served.client() as client:
        client.send(b"GET / HTTP/1.1\r\nX-A: ")
        for _ in range(100_000):
            try:
                client.send(b"x")
            except OSError:
                break
            served.call(served.server.look)
        else:
            pytest.fail("the client was never cut off")
    served.until(lambda: not served.server.connections)


def test_a_connection_on_which_nothing_comes_is_ended(serve: Callable[..., Served]) -> None:
    served = serve(target, head_timeout=0.05, body_timeout=NEVER, idle_timeout=NEVER)
    with served.client() as client:
        served.until(lambda: served.server.connections == 1)
        served.look_until(lambda: not served.server.connections)
        assert client.is_ended()


def test_an_idle_connection_is_ended(serve: Callable[..., Served]) -> None:
    served = serve(target, head_timeout=NEVER, body_timeout=NEVER, idle_timeout=0.05)
    with served.client() as client:
        client.get()
        served.look_until(lambda: not served.server.connections)
        assert client.is_ended()


def test_a_slow_body_is_cut(serve: Callable[..., Served]) -> None:
    messages: list[Foreign] = []

    async def application(_scope: Foreign, receive: Foreign, _send: Foreign) -> None:
        while not messages or messages[-1]["type"] != "http.disconnect":
            messages.append(await receive())

    served = serve(application, head_timeout=NEVER, body_timeout=0.05, idle_timeout=NEVER)
    with served.client() as client:
        client.send(request("/", "Content-Length: 5", method="POST") + b"he")
        served.until(lambda: served.server.in_flight == 1)
        served.look_until(lambda: not served.server.connections)
        assert client.response().status == 408
        assert client.is_ended()
    served.until(lambda: messages[-1]["type"] == "http.disconnect")


def test_a_slow_body_of_an_answered_request_gets_no_second_answer(
    serve: Callable[..., Served],
) -> None:
    served = serve(target, head_timeout=NEVER, body_timeout=0.05, idle_timeout=NEVER)
    with served.client() as client:
        client.send(request("/1", "Content-Length: 5", method="POST") + b"he")
        assert client.response().body == b"/1"
        served.look_until(lambda: not served.server.connections)
        assert client.is_ended()


def test_a_slow_body_is_not_the_end_of_an_answer_without_length(
    serve: Callable[..., Served],
) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"some", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    served = serve(application, head_timeout=NEVER, body_timeout=0.05, idle_timeout=NEVER)
    with served.client() as client:
        head = request("/", "Content-Length: 5", method="POST", version="1.0")
        client.send(head + b"he")
        assert client.head().status == 200
        assert client.exactly(4) == b"some"
        served.look_until(lambda: not served.server.connections)
        with pytest.raises(ConnectionResetError):
            client.exactly(1)


@pytest.mark.parametrize("head", ["Expect: 100-continue", "X-A: b"])
def test_an_application_that_takes_its_time_is_not_the_clients_fault(
    serve: Callable[..., Served], head: str
) -> None:
    """Its client waits for `100 Continue`, or is not read any further."""
    gate = asyncio.Event()
    length = 300_000

    async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await gate.wait()
        await echo(scope, receive, send)

    served = serve(application, head_timeout=NEVER, body_timeout=0.1, idle_timeout=NEVER)
    with served.client() as client, served.client() as slow:
        client.send(request("/", head, f"Content-Length: {length}", method="POST"))
        early = 0 if "Expect" in head else length - 100_000
        client.send(b"x" * early)
        # This one is at fault, and shows that the time has passed.
        slow.send(request("/", "Content-Length: 5", method="POST") + b"he")
        served.until(lambda: served.server.in_flight == 2)
        served.look_until(lambda: served.server.connections == 1)
        served.call(gate.set)
        if "Expect" in head:
            assert client.interim().status == 100
        client.send(b"x" * (length - early))
        assert client.response().body == b"x" * length
    assert isinstance(served.expect_report("raised an exception"), ConnectionError)


def test_a_body_that_nobody_asks_for_stays_with_the_client(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()
    got: list[int] = []

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await gate.wait()
        more = True
        while more:
            message = await receive()
            got.append(len(message["body"]))
            more = message["more_body"]
        await respond(send, b"%d" % sum(got))

    served = serve(application)
    length = 64_000_000
    with served.client() as client:
        client.send(request("/", f"Content-Length: {length}", method="POST"))
        sent = send_until_full(client, length, 65536)
        served.call(gate.set)
        while sent < length:
            sent += client.socket.send(b"x" * min(65536, length - sent))
        assert client.response().body == b"%d" % length
    assert max(got) <= HELD_MOST


def test_little_is_read_for_a_reader_that_has_become_slow(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()
    got: list[int] = []

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        more = True
        while more:
            # What comes fast is read in large pieces.
            if sum(got) > length // 4 and not waited:
                waited.append(len(got))
                await gate.wait()
            message = await receive()
            got.append(len(message["body"]))
            more = message["more_body"]
        await respond(send, b"done")

    served = serve(application)
    length = 64_000_000
    waited: list[int] = []
    with served.client() as client:
        client.send(request("/", f"Content-Length: {length}", method="POST"))
        sent = send_until_full(client, length, 1_000_000)
        served.call(gate.set)
        while sent < length:
            sent += client.socket.send(b"x" * min(65536, length - sent))
        assert client.response().body == b"done"
    is_ours = isinstance(served.loop, corrente.EventLoop)
    assert got[waited[0]] <= (UNASKED_MOST if is_ours else UNASKED_MOST + READ_MOST)


def test_a_body_that_is_not_read_stays_with_the_application(serve: Callable[..., Served]) -> None:
    sent = 0
    piece = b"x" * 30_000

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200})
        while sent < 100_000_000:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            sent += len(piece)
        await send({"type": "http.response.body"})

    served = serve(application)
    with served.client(receive_buffer=10_000) as client:
        client.send(request())
        client.head()
        held = 0
        while held != sent:
            held = sent
            served.call(lambda: None)
        # The kernel's buffers, of both sides, and the transport's.
        assert sent < 16 * HELD_MOST
        client.socket.setsockopt(1, 8, 1_000_000)
        taken = 0
        while (chunk := client.chunk()) is not None:
            taken += len(chunk)
    assert taken == sent


@pytest.mark.parametrize("has_more", [True, False])
def test_a_client_that_reads_nothing_is_cut(serve: Callable[..., Served], has_more: bool) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200})
        body = {"type": "http.response.body", "body": b"x" * 30_000_000, "more_body": has_more}
        await send(body)
        if has_more:
            with pytest.raises(OSError, match="disconnected"):
                await send(body)

    served = serve(application, head_timeout=NEVER, idle_timeout=NEVER, write_timeout=0.05)
    with served.client(receive_buffer=10_000) as client:
        client.send(request("/", "Connection: close"))
        client.head()
        served.look_until(lambda: not served.server.connections)


def test_a_client_that_reads_slowly_is_not(serve: Callable[..., Served]) -> None:
    body = b"x" * 10_000_000

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send, body)

    served = serve(application, write_timeout=0.5)
    with served.client(receive_buffer=10_000) as client:
        client.send(request())
        head = client.head()
        assert head.header("content-length") == str(len(body))
        taken = 0
        while taken < len(body):
            taken += len(client.exactly(10_000))
            if taken % 100_000 == 0:
                served.call(served.server.look)
