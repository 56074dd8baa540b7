"""HTTP/2 by prior knowledge (RFC 9113): requests on streams, bodies both ways, how streams end."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from typing import TYPE_CHECKING

import h2.events
import pytest
import trustme

from .applications import body_of, echo, respond, target, wsgi_echo
from .streams import DATA, GOAWAY, HEADERS, PING, PREFACE, Http2Client, block, pseudo, raw, split

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign, Served


def test_a_response_has_what_it_needs_and_no_more(serve: Callable[..., Served]) -> None:
    with Http2Client(serve(target).address) as client:
        answer = client.get("/path")
    assert answer.status == 200
    assert answer.body == b"/path"
    assert [name for name, _ in answer.headers] == ["date", "server", "content-length"]


def test_a_scope_is_that_of_http_2(serve: Callable[..., Served]) -> None:
    scopes = []

    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        scopes.append(scope)
        await respond(send)

    with Http2Client(serve(application, root_path="/shop").address) as client:
        client.get("/a%20b?c=d", ("cookie", "a=1"), ("x-a", "1"), ("cookie", "b=2"), ("x-a", "2"))
    (scope,) = scopes
    assert scope["http_version"] == "2"
    assert (scope["method"], scope["scheme"], scope["type"]) == ("GET", "http", "http")
    assert (scope["path"], scope["raw_path"]) == ("/shop/a b", b"/shop/a%20b")
    assert scope["query_string"] == b"c=d"
    assert sorted(scope["headers"][1:]) == [
        (b"cookie", b"a=1; b=2"),
        (b"x-a", b"1"),
        (b"x-a", b"2"),
    ]
    assert scope["headers"][0] == (b"host", b"test")


def test_many_streams_are_answered_at_once(serve: Callable[..., Served]) -> None:
    together = asyncio.Event()
    waiting = 0

    async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == 100:
            together.set()
        await together.wait()
        await respond(send, scope["path"].encode() + await body_of(receive))

    served = serve(application)
    with Http2Client(served.address) as client:
        streams = [client.ask(f"/{number}", body=b"!", method="POST") for number in range(100)]
        answers = [client.answer(stream).body for stream in streams]
    assert answers == [b"/%d!" % number for number in range(100)]
    assert served.server.requests == 100


@pytest.mark.parametrize(
    ("application", "interface"), [(echo, "asgi"), (wsgi_echo, "wsgi")], ids=["asgi", "wsgi"]
)
def test_a_megabyte_comes_back(
    serve: Callable[..., Served], application: Foreign, interface: str
) -> None:
    body = bytes(range(256)) * 4096
    served = serve(application, interface=interface)
    with Http2Client(served.address) as client:
        for _ in range(3):
            stream = client.ask(method="POST", ends=False)
            client.upload(stream, body)
            assert client.answer(stream).body == body


def test_a_body_that_nobody_takes_is_not_sent(serve: Callable[..., Served]) -> None:
    goes_on = asyncio.Event()

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await goes_on.wait()
        await respond(send, b"%d" % len(await body_of(receive)))

    served = serve(application)
    with Http2Client(served.address) as client:
        stream = client.ask(method="POST", ends=False)
        client.event(h2.events.RemoteSettingsChanged)
        room = client.connection.local_flow_control_window(stream)
        client.upload(stream, bytes(room), ends=False)
        # A second stream is answered meanwhile, and no window has come.
        served.call(goes_on.set)
        client.event(h2.events.WindowUpdated)
        client.upload(stream, bytes(500_000))
        assert client.answer(stream).body == b"%d" % (room + 500_000)


def test_bodies_that_were_taken_leave_room_for_others(serve: Callable[..., Served]) -> None:
    may_answer = asyncio.Event()
    taken = 0

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        nonlocal taken
        body = await body_of(receive)
        taken += len(body)
        await may_answer.wait()
        await respond(send, b"taken")

    served = serve(application)
    with Http2Client(served.address) as client:
        client.event(h2.events.RemoteSettingsChanged)
        # More than one connection has room for, before any is answered; each comes with its end.
        streams = [client.ask(method="POST", ends=False) for _ in range(90)]
        for stream in streams:
            while client.connection.local_flow_control_window(stream) < 15_000:
                client.more()
            client.connection.send_data(stream, bytes(15_000), end_stream=True)
            client.flush()
        served.until(lambda: taken == 1_350_000)
        served.call(may_answer.set)
        assert {client.answer(stream).body for stream in streams} == {b"taken"}


def test_an_application_waits_for_the_clients_window(serve: Callable[..., Served]) -> None:
    sent = 0

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200})
        for _ in range(100):
            await send({"type": "http.response.body", "body": bytes(20_000), "more_body": True})
            sent += 20_000
        await send({"type": "http.response.body"})

    served = serve(application)
    with Http2Client(served.address, takes=False) as client:
        stream = client.ask()
        client.until(lambda: len(client.answers[stream].body) == 65_535)
        other = client.connection.get_next_available_stream_id()
        assert sent < 300_000, "nobody took it"
        client.takes = True
        client.connection.acknowledge_received_data(65_535, stream)
        client.flush()
        assert len(client.answer(stream).body) == 2_000_000
        assert other == 3


def test_windows_that_are_given_back_are_no_flood(serve: Callable[..., Served]) -> None:
    body = bytes(16 * 1024 * 1024)

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send, body)

    with Http2Client(serve(application).address, takes=False) as client:
        stream = client.ask()
        answer, came = client.answers[stream], 0
        while not answer.is_ended:
            # Frame by frame, as simple clients do: the stream's window and the connection's.
            for event in client.events:
                if isinstance(event, h2.events.DataReceived) and event.flow_controlled_length:
                    for window in (stream, None):
                        length = event.flow_controlled_length
                        client.connection.increment_flow_control_window(length, window)
            client.events.clear()
            client.flush()
            came += len(answer.body)
            answer.body = b""
            client.more()
            assert not client.is_ended
        assert came + len(answer.body) == len(body)


def test_head_has_no_body(serve: Callable[..., Served]) -> None:
    with Http2Client(serve(target).address) as client:
        answer = client.get("/four", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("content-length") == "5"


def test_trailers_and_hints(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.early_hint", "links": [b"</a>; rel=preload"]})
        await send({"type": "http.response.start", "status": 200, "trailers": True})
        await send({"type": "http.response.body", "body": b"body"})
        trailers = [(b"X-Sum", b"1")]
        await send({"type": "http.response.trailers", "headers": trailers})

    with Http2Client(serve(application).address) as client:
        answer = client.get()
    (hint,) = answer.interim
    assert (hint.status, hint.header("link")) == (103, "</a>; rel=preload")
    assert (answer.body, answer.trailers) == (b"body", [("x-sum", "1")])


def test_trailers_of_a_request_are_dropped(serve: Callable[..., Served]) -> None:
    with Http2Client(serve(echo).address) as client:
        stream = client.ask(method="POST", body=b"body", ends=False)
        client.connection.send_headers(stream, [("x-sum", "1")], end_stream=True)
        client.flush()
        assert client.answer(stream).body == b"body"


def test_a_body_is_asked_for_when_it_is_wanted(serve: Callable[..., Served]) -> None:
    with Http2Client(serve(echo).address) as client:
        stream = client.ask("/", ("expect", "100-continue"), method="POST", ends=False)
        event = client.event(h2.events.InformationalResponseReceived)
        assert (b":status", b"100") in [tuple(map(_bytes, pair)) for pair in event.headers or []]
        client.upload(stream, b"body")
        assert client.answer(stream).body == b"body"


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


@pytest.mark.parametrize("is_reset", [True, False], ids=["reset", "lost"])
def test_an_application_is_told_that_its_client_has_gone(
    serve: Callable[..., Served], is_reset: bool
) -> None:
    messages = []

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        messages.append((await receive())["type"])
        try:
            await send({"type": "http.response.start", "status": 200})
        except OSError as error:
            messages.append(str(error))

    served = serve(application)
    with Http2Client(served.address) as client:
        stream = client.ask()
        served.until(lambda: served.server.in_flight == 1)
        if is_reset:
            client.connection.reset_stream(stream, 8)
            client.flush()
            served.until(lambda: len(messages) == 2)
    served.until(lambda: len(messages) == 2)
    assert messages == ["http.disconnect", "the client has disconnected"]


def test_a_client_that_sends_no_more_of_an_answered_request_is_told(
    serve: Callable[..., Served],
) -> None:
    with Http2Client(serve(target).address) as client:
        stream = client.ask("/early", method="POST", body=b"some", ends=False)
        answer = client.answers[stream]
        client.until(lambda: answer.reset is not None)
        assert (answer.status, answer.body, answer.reset) == (200, b"/early", 0)
        assert client.get("/next").body == b"/next"


def test_an_application_that_fails(serve: Callable[..., Served]) -> None:
    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        if scope["path"] == "/late":
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": b"some", "more_body": True})
        raise ValueError("no")

    served = serve(application)
    with Http2Client(served.address) as client:
        answer = client.get()
        assert (answer.status, answer.body) == (500, b"Internal Server Error\n")
        served.expect_report("the application raised an exception")
        answer = client.get("/late")
        assert (answer.status, answer.reset, answer.is_ended) == (200, 2, False)
        served.expect_report("the application raised an exception")
        assert client.get().status == 500
        served.expect_report("the application raised an exception")


@pytest.mark.parametrize("size", [3, 300_000])
def test_what_was_sent_before_a_failure_comes_before_the_reset(
    serve: Callable[..., Served], size: int
) -> None:
    async def fails(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * size, "more_body": True})
        raise ValueError("mine")

    served = serve(fails)
    with Http2Client(served.address) as client:
        answer = client.get()
        assert (answer.status, len(answer.body), answer.reset) == (200, size, 2)
    assert str(served.expect_report("raised an exception")) == "mine"


def test_wsgi_gets_its_environ(serve: Callable[..., Served]) -> None:
    environs = []

    def application(environ: Foreign, start_response: Foreign) -> list[bytes]:
        environs.append(environ)
        start_response("201 Created", [("X-A", "b"), ("Connection", "close")])
        return [b"a", b"b"]

    with Http2Client(serve(application, interface="wsgi").address) as client:
        answer = client.get("/p?q", ("x-b", "c"))
    assert (answer.status, answer.body, answer.header("x-a")) == (201, b"ab", "b")
    assert answer.header("connection") is None
    (environ,) = environs
    assert environ["SERVER_PROTOCOL"] == "HTTP/2"
    assert (environ["HTTP_HOST"], environ["HTTP_X_B"]) == ("test", "c")
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/p", "q")


def test_the_end_is_peaceful(serve: Callable[..., Served]) -> None:
    goes_on = asyncio.Event()

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await goes_on.wait()
        await respond(send, b"last")

    served = serve(application)
    with Http2Client(served.address) as client:
        client.event(h2.events.SettingsAcknowledged)
        client.ask()
        served.until(lambda: served.server.in_flight == 1)
        served.call(served.server.drain)
        # hyper-h2 takes no frames after GOAWAY.
        came = b""
        while not (pings := [payload for kind, payload in split(came) if kind == PING]):
            came += client.socket.recv(65536)
        (ping,) = pings
        client.frames(raw(PING, 1, 0, ping))
        served.call(goes_on.set)
        while data := client.socket.recv(65536):
            came += data
        frames = split(came)
        ends = [payload for kind, payload in frames if kind == GOAWAY]
        # First that it will end, then which stream was the last (RFC 9113, section 6.8).
        assert ends == [b"\x7f\xff\xff\xff" + bytes(4), bytes([0, 0, 0, 1]) + bytes(4)]
        assert (DATA, b"last") in frames
        client.socket.close()
        served.until(lambda: not served.server.connections)


def test_a_connection_that_rests_is_ended(serve: Callable[..., Served]) -> None:
    served = serve(target, idle_timeout=0.0)
    with Http2Client(served.address) as client:
        assert client.get().status == 200
        served.look_until(lambda: served.server.connections == 1)
        assert client.goaway() == 0


def test_a_head_that_does_not_end_is_not_waited_for(serve: Callable[..., Served]) -> None:
    served = serve(target, head_timeout=0.05)
    with Http2Client(served.address) as client:
        assert client.get().status == 200
        client.frames(raw(HEADERS, 0, 3, block(pseudo())))
        served.look_until(lambda: is_over(client))


def test_a_preface_that_does_not_end_is_not_waited_for(serve: Callable[..., Served]) -> None:
    served = serve(target, head_timeout=0.05)
    with served.client() as client:
        client.send(PREFACE[:10])
        served.look_until(lambda: not served.server.connections)
    with served.client() as client:
        client.send(PREFACE)
        served.look_until(lambda: come(client.socket) == b"")


def test_a_body_that_does_not_come_is_not_waited_for(serve: Callable[..., Served]) -> None:
    served = serve(echo, body_timeout=0.05)
    with Http2Client(served.address) as client:
        stream = client.ask(method="POST", body=b"some", ends=False)
        served.until(lambda: served.server.in_flight == 1)
        served.look_until(lambda: served.server.in_flight == 0)
        answer = client.answer(stream)
        assert answer.status == 408
        served.expect_report("the application raised an exception")
        assert client.get().status == 200


def test_a_client_that_opens_no_window_is_left(serve: Callable[..., Served]) -> None:
    served = serve(large, write_timeout=0.05)
    with Http2Client(served.address, takes=False) as client:
        stream = client.ask()
        served.until(lambda: served.server.in_flight == 1)
        served.look_until(lambda: served.server.in_flight == 0)
        assert client.answer(stream).reset == 8


async def large(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
    """Answer with more than windows take."""
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": bytes(200_000), "more_body": True})
    await send({"type": "http.response.body", "body": bytes(200_000)})


def come(connection: socket.socket) -> bytes | None:
    """Give what has come, `None` where nothing has: never waits."""
    ready, _, _ = select.select([connection], [], [], 0)
    return connection.recv(65536) if ready else None


def is_over(client: Http2Client) -> bool:
    """Tell whether the server has said that the connection ends."""
    return any(kind == GOAWAY for kind, _ in split(come(client.socket) or b""))


def test_http_1_is_spoken_beside_it(serve: Callable[..., Served]) -> None:
    served = serve(target)
    with served.client() as first, Http2Client(served.address) as second:
        assert first.get("/a").body == b"/a"
        assert second.get("/b").body == b"/b"
        first.send(b"P")
        first.send(b"OST /c HTTP/1.1\r\nHost: a\r\n\r\n")
        assert first.response().body == b"/c"
    with served.client() as third:
        third.send(b"PR")
        served.look_until(lambda: served.server.connections == 1)
        third.send(b"OPFIND /d HTTP/1.1\r\nHost: a\r\n\r\n")
        assert third.response().body == b"/d"


@pytest.mark.parametrize(
    ("offered", "version"), [(["h2", "http/1.1"], "2"), (["http/1.1"], "1.1"), ([], "1.1")]
)
def test_tls_agrees_on_a_version(
    serve: Callable[..., Served], offered: list[str], version: str
) -> None:
    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send, f"{scope['scheme']} {scope['http_version']}".encode())

    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    server.set_alpn_protocols(["h2", "http/1.1"])
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if offered:
        context.set_alpn_protocols(offered)
    served = serve(application, ssl_context=server)
    plain = socket.create_connection(served.address)
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        if version == "2":
            client = Http2Client(connection)
            assert client.get().body == b"https 2"
        else:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            came = b""
            while data := connection.recv(65536):
                came += data
            assert came.endswith(b"https 1.1")


def test_it_can_be_switched_off(serve: Callable[..., Served]) -> None:
    with serve(target, http2=False).client() as client:
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert client.response().status == 505


def test_a_limit_of_requests_at_once(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await respond(send, await body_of(receive))

    served = serve(application, max_in_flight=2)
    with Http2Client(served.address) as client:
        waiting = [client.ask(method="POST", ends=False) for _ in range(2)]
        assert client.get().status == 503
        for stream in waiting:
            client.upload(stream, b"x")
            assert client.answer(stream).body == b"x"


def test_authority_is_the_host(serve: Callable[..., Served]) -> None:
    with Http2Client(serve(target).address) as client:
        for headers, status in [
            ([("host", "test")], 200),
            ([("host", "other")], 400),
        ]:
            assert client.get("/", *headers).status == status
        named = [pair for pair in pseudo() if pair[0] != ":authority"]
        assert client.answer(client.ask_with([*named, ("host", "a")])).status == 200
        assert client.answer(client.ask_with(named)).status == 400
