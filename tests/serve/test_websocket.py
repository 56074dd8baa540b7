"""WebSockets over real sockets: the handshake, messages both ways, and how they end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from corrente._native import Operations

from .frames import BINARY, BREACHES, CLOSE, ENDINGS, PING, PONG, TEXT, closed, echo, frame
from .wire import LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign, Served
    from .wire import Client

#: Seconds that no test reaches.
NEVER = 1000.0

#: Turns of the server's loop, in which it reads whatever it means to.
IDLE_TURNS = 100

HANDSHAKE = (
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def heard(client: Client) -> tuple[int, bytes]:
    """Read one frame of the server's, which is whole and not masked."""
    first, length = client.exactly(2)
    assert first & 0xF0 == 0x80
    if length == 126:
        length = int.from_bytes(client.exactly(2), "big")
    return first & 0x0F, client.exactly(length)


def opened(served: Served, *headers: str) -> Client:
    """Give a client that has shaken hands."""
    client = served.client()
    assert _ask(client, "/", *headers).status == 101
    return client


def _ask(client: Client, target: str, *headers: str) -> Foreign:
    lines = "".join(f"{line}\r\n" for line in (*HANDSHAKE, *headers))
    client.send(f"GET {target} HTTP/1.1\r\nHost: test\r\n{lines}\r\n".encode())
    return client.head()


@pytest.fixture
def ended() -> list[Foreign]:
    """Give the codes and reasons with which WebSockets ended."""
    return []


@pytest.fixture
def served(serve: Callable[..., Served], ended: list[Foreign]) -> Served:
    """Serve the echo."""
    return serve(echo, state={"ended": ended})


def test_the_handshake_is_that_of_the_rfc(served: Served) -> None:
    with served.client() as client:
        found = _ask(client, "/", "Sec-WebSocket-Protocol: chat, other")
        assert found.status == 101
        assert found.header("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert found.header("sec-websocket-protocol") == "chat"
        assert (found.header("upgrade"), found.header("connection")) == ("websocket", "upgrade")
        assert found.header("a") == "b"
        assert found.header("sec-websocket-extensions") is None


@pytest.mark.parametrize("payload", [b"", b"hi", "\u00fc".encode() * 100, b"x" * 40_000], ids=len)
def test_messages_come_back(served: Served, payload: bytes) -> None:
    with opened(served) as client:
        client.send(frame(TEXT, payload))
        assert heard(client) == (TEXT, payload)
        client.send(frame(BINARY, payload))
        assert heard(client) == (BINARY, payload)


def test_frames_behind_the_handshake_and_in_pieces_are_messages(served: Served) -> None:
    with served.client() as client:
        lines = "".join(f"{line}\r\n" for line in HANDSHAKE)
        first = frame(TEXT, b"one")
        client.send(f"GET / HTTP/1.1\r\nHost: test\r\n{lines}\r\n".encode() + first)
        assert client.head().status == 101
        assert heard(client) == (TEXT, b"one")
        split = frame(TEXT, b"tw", final=0) + frame(PING, b"p") + frame(0, b"o")
        for place in range(len(split)):
            client.send(split[place : place + 1])
        assert heard(client) == (PONG, b"p")
        assert heard(client) == (TEXT, b"two")


def test_much_that_came_before_it_is_accepted_is_heard(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await gate.wait()
        await send({"type": "websocket.accept"})
        message = await receive()
        await send({"type": "websocket.send", "text": str(len(message["bytes"]))})

    served = serve(application)
    with served.client() as client:
        lines = "".join(f"{line}\r\n" for line in HANDSHAKE)
        message = frame(BINARY, bytes(1_000_000))
        client.send(f"GET / HTTP/1.1\r\nHost: test\r\n{lines}\r\n".encode() + message[:100_000])
        served.until(lambda: served.server.in_flight == 1)
        with served.client() as other:
            # What has come until now is read before this connection is accepted.
            served.until(lambda: served.server.connections == 2)
            other.socket.close()
        served.call(gate.set)
        assert client.head().status == 101
        client.send(message[100_000:])
        assert heard(client) == (TEXT, b"1000000")


def test_who_closes_is_answered_and_the_application_told(
    served: Served, ended: list[Foreign]
) -> None:
    with opened(served) as client:
        client.send(frame(CLOSE, closed(1001, b"away")))
        assert heard(client) == (CLOSE, closed(1001))
        assert client.is_ended()
    served.until(lambda: ended == [(1001, "away")])


@pytest.mark.parametrize(("said", "payload"), ENDINGS)
def test_how_the_application_ends_it(served: Served, said: bytes, payload: bytes) -> None:
    with opened(served) as client:
        client.send(frame(TEXT, said))
        assert heard(client) == (CLOSE, payload)
        client.send(frame(CLOSE, payload[:2]))
        assert client.is_ended()
    if said == b"raise":
        assert isinstance(served.expect_report("the application raised"), LookupError)


@pytest.mark.parametrize(("bad", "code"), BREACHES)
def test_what_breaks_the_protocol_ends_it(
    served: Served, ended: list[Foreign], bad: bytes, code: int
) -> None:
    with opened(served) as client:
        client.send(bad)
        kind, payload = heard(client)
        assert (kind, int.from_bytes(payload[:2], "big")) == (CLOSE, code)
        client.rest()
    served.until(lambda: ended == [(1006, "")])


def test_what_came_before_a_breach_is_answered_first(served: Served, ended: list[Foreign]) -> None:
    with opened(served) as client:
        client.send(frame(TEXT, b"one") + frame(BINARY, b"two") + frame(3) + frame(TEXT, b"no"))
        assert heard(client) == (TEXT, b"one")
        assert heard(client) == (BINARY, b"two")
        kind, payload = heard(client)
        assert (kind, int.from_bytes(payload[:2], "big")) == (CLOSE, 1002)
        client.rest()
    served.until(lambda: ended == [(1006, "")])


def test_a_request_for_one_has_no_body(served: Served) -> None:
    with served.client() as client:
        found = _ask(client, "/", "Content-Length: 5")
        assert (found.status, found.header("connection")) == (400, "close")
        # Were it cut, what is sent could have the answer lost.
        client.send(b"hello")
        assert b"no body" in client.rest()


def test_pings_of_a_client_that_reads_nothing_wait(served: Served) -> None:
    ping = frame(PING, bytes(125))
    sent, turns, pings = 0, 0, ping * 500
    with served.client(receive_buffer=4096) as client:
        assert _ask(client, "/").status == 101
        client.socket.setblocking(False)
        # What fits into the buffers of both sides is far less.
        while sent < 1 << 26 and turns < IDLE_TURNS:
            try:
                sent += client.socket.send(pings[sent % len(ping) :])
                turns = 0
            except BlockingIOError:
                turns += 1
                served.call(lambda: None)
        assert turns == IDLE_TURNS, "they are read, whoever reads what they are answered with"
        client.socket.settimeout(LIMIT_S)
        for _ in range(sent // len(ping)):
            assert heard(client) == (PONG, bytes(125))


def test_what_comes_behind_the_close_of_the_application_is_nobodys(
    serve: Callable[..., Served],
) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4000})

    served = serve(application, close_timeout=NEVER)
    with opened(served) as client:
        assert heard(client) == (CLOSE, closed(4000))
        client.send(frame(BINARY, bytes(50_000)) * 20 + frame(CLOSE, closed(4000)))
        assert client.is_ended()


def test_a_close_frame_behind_messages_that_nobody_takes(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await gate.wait()
        await send({"type": "websocket.close", "code": 4000})

    served = serve(application, close_timeout=NEVER, operations=Operations(ws_max_queue=2))
    with opened(served) as client:
        client.send(frame(TEXT, b"x") * 20 + frame(CLOSE, closed(4000)))
        for _ in range(IDLE_TURNS):
            served.call(lambda: None)
        served.call(gate.set)
        assert heard(client) == (CLOSE, closed(4000))
        assert client.is_ended()


def test_a_client_that_vanishes_is_told_to_the_application(
    served: Served, ended: list[Foreign]
) -> None:
    opened(served).reset()
    served.until(lambda: ended == [(1006, "")])


def test_the_application_may_refuse(served: Served) -> None:
    with served.client() as client:
        assert _ask(client, "/refuse").status == 403
    with served.client() as client:
        found = _ask(client, "/deny")
        assert (found.status, found.header("x-tea")) == (418, "green")
        assert client.exactly(3) == b"tea"
    with served.client() as client:
        assert _ask(client, "/raise").status == 500
    assert isinstance(served.expect_report("the application raised"), LookupError)


def test_a_handshake_that_is_none_is_refused(served: Served) -> None:
    with served.client() as client:
        client.send(
            b"GET / HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n"
        )
        found = client.head()
        assert (found.status, found.header("sec-websocket-version")) == (426, "13")
