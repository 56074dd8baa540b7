"""WebSockets on streams of HTTP/2 (RFC 8441): the handshake, messages, windows, how they end."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from typing import TYPE_CHECKING

import h2.events
import pytest
import trustme
from h2.settings import SettingCodes

from corrente._native import Operations

from .applications import target
from .frames import BINARY, BREACHES, CLOSE, ENDINGS, PING, PONG, TEXT, closed, echo, frame
from .streams import Http2Client, pseudo
from .talks import CANCEL, DEFLATE, NO_ERROR, Talk, asking, deaf

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from .serving import Foreign, Served


@pytest.fixture
def ended() -> list[Foreign]:
    """Give the codes and reasons with which WebSockets ended."""
    return []


@pytest.fixture
def served(serve: Callable[..., Served], ended: list[Foreign]) -> Served:
    """Serve the echo."""
    return serve(echo, state={"ended": ended})


def test_the_handshake_is_that_of_the_rfc(served: Served) -> None:
    with Http2Client(served.address) as client:
        client.event(h2.events.RemoteSettingsChanged)
        assert client.connection.remote_settings[SettingCodes.ENABLE_CONNECT_PROTOCOL] == 1
        talk = Talk(client, "/", ("sec-websocket-protocol", "chat, other")).opened()
        names = [name for name, _ in talk.answer.headers]
        assert names == ["sec-websocket-protocol", "a", "date", "server"]
        assert talk.answer.header("sec-websocket-protocol") == "chat"


def test_nobody_is_promised_what_no_application_speaks(serve: Callable[..., Served]) -> None:
    def application(_environ: Foreign, start_response: Foreign) -> list[bytes]:
        start_response("200 OK", [])
        return [b""]

    with Http2Client(serve(application, interface="wsgi").address) as client:
        client.event(h2.events.RemoteSettingsChanged)
        settings = client.connection.remote_settings
        assert not settings.get(SettingCodes.ENABLE_CONNECT_PROTOCOL)
    mounted = [("/wsgi", application, "wsgi", None)]
    with Http2Client(serve(echo, state={"ended": []}, mounts=mounted).address) as client:
        stream = client.ask_with(asking("/wsgi/a"), ends=False)
        assert client.answer(stream).status == 501
        Talk(client).opened()


@pytest.mark.parametrize("secure", [False, True])
def test_the_scope_is_that_of_a_websocket(serve: Callable[..., Served], secure: bool) -> None:
    scopes = []

    async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        scopes.append(scope)
        await deaf(scope, receive, send)

    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    server.set_alpn_protocols(["h2"])
    served = serve(application, root_path="/r", ssl_context=server if secure else None)
    with connected(served, authority if secure else None) as client:
        headers = (("sec-websocket-protocol", "a, b"), ("cookie", "a=1"), ("cookie", "b=2"))
        Talk(client, "/x%20y?z", *headers).opened()
    (scope,) = scopes
    assert (scope["type"], scope["http_version"]) == ("websocket", "2")
    assert scope["scheme"] == ("wss" if secure else "ws")
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == (
        "/r/x y",
        b"/r/x%20y",
        b"z",
    )
    assert scope["subprotocols"] == ["a", "b"]
    assert "method" not in scope
    assert scope["extensions"] == {"websocket.http.response": {}}
    assert dict(scope["headers"]) == {
        b"host": b"test",
        b"sec-websocket-version": b"13",
        b"sec-websocket-protocol": b"a, b",
        b"cookie": b"a=1; b=2",
    }


def connected(served: Served, authority: trustme.CA | None) -> Http2Client:
    """Connect, with TLS where there is an authority for it."""
    if authority is None:
        return Http2Client(served.address)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.set_alpn_protocols(["h2"])
    plain: socket.socket = served.client().socket
    return Http2Client(context.wrap_socket(plain, server_hostname="localhost"))


@pytest.mark.parametrize("size", [0, 2, 200, 40_000, 1_000_000])
def test_messages_come_back(served: Served, size: int) -> None:
    payload = b"x" * size
    with Http2Client(served.address) as client:
        talk = Talk(client).opened()
        for kind in (TEXT, BINARY, TEXT):
            talk.send(frame(kind, payload))
            assert talk.heard() == (kind, payload)


def test_frames_in_pieces_are_messages(served: Served) -> None:
    with Http2Client(served.address) as client:
        talk = Talk(client)
        # The client need not wait for the handshake's end.
        talk.send(frame(TEXT, b"one"))
        assert talk.opened().heard() == (TEXT, b"one")
        split = frame(TEXT, b"tw", final=0) + frame(PING, b"p") + frame(0, b"o")
        for place in range(len(split)):
            talk.send(split[place : place + 1])
        assert talk.heard() == (PONG, b"p")
        assert talk.heard() == (TEXT, b"two")


def test_much_that_came_before_it_is_accepted_is_heard(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await gate.wait()
        await send({"type": "websocket.accept"})
        message = await receive()
        await send({"type": "websocket.send", "text": str(len(message["bytes"]))})

    served = serve(application)
    with Http2Client(served.address) as client:
        client.event(h2.events.RemoteSettingsChanged)
        talk = Talk(client)
        message = frame(BINARY, bytes(1_000_000))
        room = client.connection.local_flow_control_window(talk.stream)
        # All that the windows take: they are given back once it is accepted.
        talk.send(message[:room])
        served.until(lambda: served.server.in_flight == 1)
        served.call(gate.set)
        talk.opened().send(message[room:])
        assert talk.heard() == (TEXT, b"1000000")


def test_many_share_a_connection_with_requests(serve: Callable[..., Served]) -> None:
    async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await (echo if scope["type"] == "websocket" else target)(scope, receive, send)

    served = serve(application, state={"ended": []})
    with Http2Client(served.address) as client:
        talks = [Talk(client) for _ in range(50)]
        for number, talk in enumerate(talks):
            talk.opened().send(frame(TEXT, b"%d" % number))
        assert client.get("/beside").body == b"/beside"
        assert [talk.heard()[1] for talk in talks] == [b"%d" % number for number in range(50)]
        assert served.server.in_flight == 50


def test_who_closes_is_answered_and_the_application_told(
    served: Served, ended: list[Foreign]
) -> None:
    with Http2Client(served.address) as client:
        # Streams that are over do not count as taken back.
        for _ in range(3):
            talk = Talk(client).opened()
            talk.send(frame(CLOSE, closed(1001, b"away")))
            assert talk.heard() == (CLOSE, closed(1001))
            # The server's side ends as a connection does, and is not reset.
            assert talk.until_end() is None
            talk.end()
        assert client.connection.open_outbound_streams == 0
        served.until(lambda: ended == [(1001, "away")] * 3)
        served.until(lambda: served.server.in_flight == 0)
        assert Talk(client).opened().answer.reset is None
        assert all(found.reset is None for found in client.answers.values())


@pytest.mark.parametrize(("said", "payload"), ENDINGS)
def test_how_the_application_ends_it(served: Served, said: bytes, payload: bytes) -> None:
    with Http2Client(served.address) as client:
        talk = Talk(client).opened()
        talk.send(frame(TEXT, said))
        assert talk.heard() == (CLOSE, payload)
        assert not talk.answer.is_ended, "the client has not closed yet"
        talk.send(frame(CLOSE, payload[:2]))
        assert talk.until_end() is None
    if said == b"raise":
        assert isinstance(served.expect_report("the application raised"), LookupError)


@pytest.mark.parametrize(("bad", "code"), BREACHES)
def test_what_breaks_the_protocol_ends_it(
    served: Served, ended: list[Foreign], bad: bytes, code: int
) -> None:
    with Http2Client(served.address) as client:
        talk, other = Talk(client).opened(), Talk(client).opened()
        talk.send(bad)
        kind, payload = talk.heard()
        assert (kind, int.from_bytes(payload[:2])) == (CLOSE, code)
        # What the client still sends is of no interest.
        assert talk.until_reset() == NO_ERROR
        assert talk.answer.is_ended
        served.until(lambda: ended == [(1006, "")])
        other.send(frame(TEXT, b"still here"))
        assert other.heard() == (TEXT, b"still here")


def test_what_came_before_a_breach_is_answered_first(served: Served, ended: list[Foreign]) -> None:
    with Http2Client(served.address) as client:
        talk = Talk(client).opened()
        talk.send(frame(TEXT, b"one"), frame(BINARY, b"two"), frame(3), frame(TEXT, b"no"))
        assert talk.heard() == (TEXT, b"one")
        assert talk.heard() == (BINARY, b"two")
        kind, payload = talk.heard()
        assert (kind, int.from_bytes(payload[:2])) == (CLOSE, 1002)
        assert talk.until_reset() == NO_ERROR
    served.until(lambda: ended == [(1006, "")])


def test_a_message_that_is_too_long_ends_it(serve: Callable[..., Served]) -> None:
    operations = Operations(ws_max_message_bytes=400_000)
    served = serve(echo, state={"ended": []}, operations=operations)
    with Http2Client(served.address) as client:
        talk = Talk(client).opened()
        talk.send(frame(TEXT, b"x" * 400_000))
        assert talk.heard() == (TEXT, b"x" * 400_000)
        talk.send(frame(TEXT, b"x" * 400_001)[:1000])
        kind, payload = talk.heard()
        assert (kind, payload[:2]) == (CLOSE, closed(1009))


@pytest.mark.parametrize("way", ["reset", "end", "lost"])
def test_a_client_that_vanishes_is_told_to_the_application(
    served: Served, ended: list[Foreign], way: str
) -> None:
    with Http2Client(served.address) as client:
        talk = Talk(client).opened()
        if way == "reset":
            talk.reset()
        elif way == "end":
            talk.end()
            assert talk.until_end() is None
        else:
            client.socket.close()
        served.until(lambda: ended == [(1006, "")])
        served.until(lambda: served.server.in_flight == 0)


def test_what_came_before_the_end_is_heard(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()
    heard: list[Foreign] = []

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await gate.wait()
        while (message := await receive())["type"] == "websocket.receive":
            heard.append(message["text"])
            await asyncio.sleep(0)
        heard.append(message["code"])

    served = serve(application, operations=Operations(ws_max_queue=2))
    with Http2Client(served.address) as client:
        talk = Talk(client).opened()
        frames = [frame(TEXT, b"%d" % place) for place in range(50)]
        talk.send(*frames, frame(CLOSE, closed(1000)))
        talk.end()
        served.call(gate.set)
        assert talk.heard() == (CLOSE, closed(1000))
        assert talk.until_end() is None
    served.until(lambda: len(heard) == 51)
    assert heard == [*map(str, range(50)), 1000]


def test_a_client_that_goes_before_it_is_accepted(serve: Callable[..., Served]) -> None:
    told = []

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        told.append(await receive())
        with pytest.raises(OSError, match="closed"):
            await send({"type": "websocket.accept"})

    served = serve(application)
    with Http2Client(served.address) as client:
        talk = Talk(client)
        served.until(lambda: served.server.in_flight == 1)
        talk.end()
        assert talk.until_reset() == CANCEL
    served.until(lambda: served.server.in_flight == 0)
    assert told == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]


def test_the_application_may_refuse(served: Served) -> None:
    with Http2Client(served.address) as client:
        for path, status, body in [
            ("/refuse", 403, b""),
            ("/deny", 418, b"tea"),
            ("/raise", 500, b"Internal Server Error\n"),
        ]:
            talk = Talk(client, path)
            # Nothing that the client still sends is read.
            assert talk.until_reset() == NO_ERROR
            assert (talk.answer.status, talk.answer.body) == (status, body)
        assert talk.answer.is_ended
        assert client.answers[3].header("x-tea") == "green"
    assert isinstance(served.expect_report("the application raised"), LookupError)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(":protocol", "websocket"), ("sec-websocket-version", "8")], 426),
        ([(":protocol", "websocket")], 426),
        ([(":protocol", "connect-udp"), ("sec-websocket-version", "13")], 501),
    ],
)
def test_a_handshake_that_is_none_is_refused(
    served: Served, headers: list[tuple[str, str]], status: int
) -> None:
    with Http2Client(served.address) as client:
        stream = client.ask_with([*pseudo("/", "CONNECT"), *headers], ends=False)
        answer = client.answer(stream)
        assert answer.status == status
        assert answer.header("sec-websocket-version") == ("13" if status == 426 else None)
        Talk(client).opened()


def test_a_stream_that_is_ended_carries_nothing(served: Served) -> None:
    with Http2Client(served.address) as client:
        assert client.answer(client.ask_with(asking())).status == 400


def test_connect_alone_is_for_proxies(served: Served) -> None:
    with Http2Client(served.address) as client:
        headers = [(":method", "CONNECT"), (":authority", "test:80")]
        assert client.answer(client.ask_with(headers, ends=False)).status == 501
        # Of the fields of a WebSocket's request, with another method (RFC 8441, section 4).
        wrong = [*pseudo("/", "GET"), (":protocol", "websocket")]
        assert client.answer(client.ask_with(wrong, ends=False)).reset == 1


def test_messages_are_compressed_where_the_client_asks(serve: Callable[..., Served]) -> None:
    served = serve(echo, state={"ended": []})
    text = b"again and again " * 1000
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)
    unpacker = zlib.decompressobj(wbits=-15)
    with Http2Client(served.address) as client:
        talk = Talk(client, "/", DEFLATE).opened()
        agreed = talk.answer.header("sec-websocket-extensions")
        assert agreed is not None
        assert agreed.startswith("permessage-deflate")
        for _ in range(2):
            talk.send(frame(TEXT | 0x40, packed.removesuffix(b"\0\0\xff\xff")))
            first, payload = talk.frame()
            assert (first, len(payload) < 1000) == (0xC1, True)
            assert unpacker.decompress(payload + b"\0\0\xff\xff") == text
            packed = packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)
    served = serve(echo, state={"ended": []}, operations=Operations(ws_deflate="off"))
    with Http2Client(served.address) as client:
        talk = Talk(client, "/", DEFLATE).opened()
        assert talk.answer.header("sec-websocket-extensions") is None
