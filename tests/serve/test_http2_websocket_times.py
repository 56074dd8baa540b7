"""WebSockets on streams of HTTP/2: who waits for whom, and how they end when somebody does not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import h2.events

from corrente._native import Operations

from .applications import respond
from .frames import BINARY, CLOSE, PING, PONG, closed, echo, frame
from .streams import DATA, GOAWAY, RST_STREAM, Http2Client, raw
from .talks import CANCEL, NO_ERROR, Talk, asking, deaf

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from .serving import Foreign, Served


def test_a_client_whose_messages_nobody_takes_waits(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()
    taken = 0

    async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        nonlocal taken
        if scope["type"] == "http":
            return await respond(send, b"other")
        await receive()
        await send({"type": "websocket.accept"})
        await gate.wait()
        while (message := await receive())["type"] == "websocket.receive":
            taken += len(message["bytes"])
            await asyncio.sleep(0)
        return None

    served = serve(application)
    with Http2Client(served.address) as client:
        talk = Talk(client).opened()
        client.event(h2.events.RemoteSettingsChanged)
        frames = b"".join(frame(BINARY, bytes(10_000)) for _ in range(200))
        sent = 0
        while room := client.connection.local_flow_control_window(talk.stream):
            room = min(room, client.connection.max_outbound_frame_size)
            client.connection.send_data(talk.stream, frames[sent : sent + room])
            client.flush()
            sent += room
            # What is taken is given back before this is answered.
            assert client.get("/other").body == b"other"
        assert sent < 600_000, "nobody took it"
        served.call(gate.set)
        talk.send(frames[sent:])
        served.until(lambda: taken == 2_000_000)


def test_pings_of_a_client_that_reads_nothing_wait(serve: Callable[..., Served]) -> None:
    async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        if scope["type"] == "http":
            return await respond(send, b"other")
        return await deaf(scope, receive, send)

    count, pings = 8000, frame(PING, bytes(125)) * 8000
    with Http2Client(serve(application).address, takes=False) as client:
        client.connection.increment_flow_control_window(1 << 21)
        talk = Talk(client).opened()
        client.event(h2.events.RemoteSettingsChanged)
        sent = 0
        while sent < len(pings):
            room = client.connection.local_flow_control_window(talk.stream)
            room = min(room, client.connection.max_outbound_frame_size)
            if not room:
                break
            client.connection.send_data(talk.stream, pings[sent : sent + room])
            client.flush()
            sent += room
            # What is heard is given back before this is answered.
            assert client.get("/other").body == b"other"
        assert sent < 600_000, "they are heard, whoever reads what they are answered with"
        client.connection.increment_flow_control_window(1 << 21, talk.stream)
        client.flush()
        talk.send(pings[sent:])
        for _ in range(count):
            assert talk.heard() == (PONG, bytes(125))


def test_what_comes_behind_the_close_of_the_application_is_nobodys(
    serve: Callable[..., Served],
) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4000})

    with Http2Client(serve(application, close_timeout=1000.0).address) as client:
        talk = Talk(client).opened()
        assert talk.heard() == (CLOSE, closed(4000))
        talk.send(frame(BINARY, bytes(50_000)) * 20, frame(CLOSE, closed(4000)))
        assert talk.until_end() is None


def test_an_application_waits_for_the_clients_window(serve: Callable[..., Served]) -> None:
    sent = 0

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        nonlocal sent
        await receive()
        await send({"type": "websocket.accept"})
        for _ in range(100):
            await send({"type": "websocket.send", "bytes": bytes(20_000)})
            sent += 20_000
        await receive()

    served = serve(application)
    with Http2Client(served.address, takes=False) as client:
        talk = Talk(client).opened()
        client.until(lambda: len(talk.answer.body) == 65_535)
        assert sent < 300_000, "nobody took it"
        client.takes = True
        client.connection.acknowledge_received_data(65_535, talk.stream)
        client.flush()
        for _ in range(100):
            assert talk.heard() == (BINARY, bytes(20_000))


def test_a_client_that_opens_no_window_is_left(serve: Callable[..., Served]) -> None:
    told = []

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "bytes": bytes(200_000)})
        told.append((await receive())["code"])

    served = serve(application, write_timeout=0.05)
    with Http2Client(served.address, takes=False) as client:
        talk = Talk(client).opened()
        served.look_until(lambda: told == [1006])
        assert talk.until_reset() == CANCEL


def test_silent_clients_are_pinged(serve: Callable[..., Served]) -> None:
    served = serve(deaf, ping_interval=0.0, operations=Operations(pong_timeout=1000.0))
    with Http2Client(served.address) as client:
        talk = Talk(client).opened()
        for _ in range(3):
            served.call(served.server.look)
            assert talk.heard() == (PING, b"")
            talk.send(frame(PONG, b""))
            # The answer is heard before another look is taken.
            talk.send(frame(PING, b"after"))
            assert talk.heard() == (PONG, b"after")
        assert talk.answer.reset is None


def test_a_client_that_answers_no_ping_is_gone(serve: Callable[..., Served]) -> None:
    served = serve(deaf, ping_interval=0.0, operations=Operations(pong_timeout=0.0))
    with Http2Client(served.address) as client:
        talk, other = Talk(client).opened(), Talk(client).opened()
        served.look_until(lambda: served.server.in_flight == 0)
        assert talk.heard() == other.heard() == (PING, b"")
        assert (talk.until_reset(), other.until_reset()) == (CANCEL, CANCEL)


def test_a_client_that_does_not_close_is_not_waited_for(serve: Callable[..., Served]) -> None:
    async def closing(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})

    served = serve(closing, close_timeout=0.0)
    with Http2Client(served.address) as client:
        talk = Talk(client).opened()
        assert talk.heard() == (CLOSE, closed(1000))
        served.call(served.server.look)
        assert talk.until_reset() == CANCEL
        # And one that closes, but leaves its side open.
        talk = Talk(client).opened()
        talk.send(frame(CLOSE, closed(1000)))
        assert talk.until_end() is None
        served.call(served.server.look)
        assert talk.until_reset() == NO_ERROR
        # Nothing of them is left.
        Talk(client).opened()


def test_the_end_is_peaceful(serve: Callable[..., Served]) -> None:
    ended: list[Foreign] = []
    served = serve(echo, state={"ended": ended})
    with Http2Client(served.address) as client:
        talk = Talk(client).opened()
        client.event(h2.events.SettingsAcknowledged)
        served.call(served.server.drain)
        # hyper-h2 takes no frames after GOAWAY.
        reader = Frames(client.socket)
        goodbye = bytes((0x80 | CLOSE, 2)) + closed(1012)
        reader.until(DATA, goodbye)
        (ping,) = reader.until(PING_FRAME)
        client.frames(raw(PING_FRAME, 1, 0, ping))
        client.frames(raw(DATA, 1, talk.stream, frame(CLOSE, closed(1012))))
        kinds = reader.rest()
        assert kinds.count(GOAWAY) == 2
        assert RST_STREAM not in kinds
        client.socket.close()
        served.until(lambda: ended == [(1012, "")])
        served.until(lambda: not served.server.connections)


def test_one_that_is_accepted_at_the_end_is_closed(serve: Callable[..., Served]) -> None:
    gate, told = asyncio.Event(), []

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await gate.wait()
        await send({"type": "websocket.accept"})
        told.append((await receive())["code"])

    served = serve(application)
    with Http2Client(served.address) as client:
        Talk(client)
        served.until(lambda: served.server.in_flight == 1)
        served.call(served.server.drain)
        served.call(gate.set)
        served.until(lambda: told == [1012])


def test_it_is_counted_as_a_websocket_is(serve: Callable[..., Served]) -> None:
    operations = Operations(metrics="on", request_id="on")
    served = serve(echo, state={"ended": []}, operations=operations)
    with Http2Client(served.address) as client:
        talk = Talk(client).opened()
        assert talk.answer.header("x-request-id")
        talk.send(frame(CLOSE, closed(1000)))
        talk.until_end()
        assert client.answer(client.ask_with(asking("/refuse"), ends=False)).status == 403
    counts = operations.counts()
    assert counts is not None
    assert counts["classes"] == [0, 1, 0, 1, 0]
    # How long clients stay says nothing about how long answers take.
    assert sum(counts["durations"]) == 1


#: The frame of HTTP/2, not that of a WebSocket.
PING_FRAME = 6


class Frames:
    """The frames that come on a socket, past hyper-h2."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._come = b""
        self._frames: list[tuple[int, bytes]] = []

    def until(self, kind: int, payload: bytes | None = None) -> tuple[bytes]:
        """Wait for a frame of a kind, and give what it carries."""
        while True:
            for known, found in self._frames:
                if known == kind and payload in (None, found):
                    return (found,)
            assert self._more(), f"the connection has ended: {self._frames}"

    def rest(self) -> list[int]:
        """Read to the end; the kinds of all frames."""
        while self._more():
            pass
        return [kind for kind, _ in self._frames]

    def _more(self) -> bool:
        data = self._socket.recv(65536)
        self._come += data
        while len(self._come) >= 9:
            end = 9 + int.from_bytes(self._come[:3])
            if len(self._come) < end:
                break
            self._frames.append((self._come[3], self._come[9:end]))
            self._come = self._come[end:]
        return bool(data)
