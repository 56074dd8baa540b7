"""HTTP/1.1 on the wire: framing both ways, kept connections, pipelining, `100 Continue`."""

from __future__ import annotations

import asyncio
import datetime
import email.utils
from typing import TYPE_CHECKING

import pytest

from .applications import body_of, echo, respond, target
from .wire import Client, chunked, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign, Served


def test_a_response_has_what_it_needs_and_no_more(serve: Callable[..., Served]) -> None:
    with serve(target).client() as client:
        response = client.get("/path")
    assert response.status == 200
    assert response.body == b"/path"
    assert [name for name, _ in response.headers] == ["date", "server", "content-length"]
    date = email.utils.parsedate_to_datetime(response.header("date") or "")
    assert abs(datetime.datetime.now(datetime.UTC) - date) < datetime.timedelta(seconds=60)


def test_the_servers_name_is_a_setting(serve: Callable[..., Served]) -> None:
    with serve(target, server_name="").client() as client:
        assert client.get().all("server") == []
    with serve(target, server_name="mine").client() as client:
        assert client.get().header("server") == "mine"


def test_a_connection_is_kept(serve: Callable[..., Served]) -> None:
    served = serve(target)
    with served.client() as client:
        for number in range(5):
            assert client.get(f"/{number}").body == b"/%d" % number
    assert served.server.requests == 5


@pytest.mark.parametrize(
    ("version", "wish", "is_kept"),
    [
        ("1.1", "Connection: close", False),
        ("1.1", "Connection: foo, CLOSE", False),
        ("1.0", "X-A: b", False),
        ("1.0", "Connection: keep-alive", True),
    ],
)
def test_a_connection_is_kept_as_the_client_wishes(
    serve: Callable[..., Served], version: str, wish: str, is_kept: bool
) -> None:
    with serve(target).client() as client:
        client.send(request("/1", wish, version=version))
        response = client.response()
        assert response.body == b"/1"
        if is_kept:
            assert response.header("connection") == "keep-alive"
            assert client.get("/2").body == b"/2"
        else:
            assert response.header("connection") == "close"
            assert client.is_ended()


def test_an_application_may_end_the_connection(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send, b"last", headers=[(b"connection", b"close")])

    with serve(application).client() as client:
        client.send(request("/1") + request("/2"))
        assert client.response().header("connection") == "close"
        assert client.is_ended()


def test_an_old_client_gets_a_body_without_length_until_the_end(
    serve: Callable[..., Served],
) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})

    with serve(application).client() as client:
        client.send(request(version="1.0"))
        response = client.response()
    assert response.header("transfer-encoding") is None
    assert response.body == b"one two"


def test_a_body_in_pieces_is_chunked_piece_by_piece(serve: Callable[..., Served]) -> None:
    pieces = [b"a", b"b" * 20_000, b"c" * 300_000, b"d"]

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": True})
        await send({"type": "http.response.body"})

    with serve(application).client() as client:
        for _ in range(2):
            assert client.get().chunks == pieces


def test_a_given_length_is_kept_to(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        headers = [(b"Content-Length", b"40002")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in (b"a", b"b" * 40_000, b"c"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})

    with serve(application).client() as client:
        for _ in range(2):
            response = client.get()
            assert response.header("content-length") == "40002"
            assert response.body == b"a" + b"b" * 40_000 + b"c"


@pytest.mark.parametrize("status", [200, 204, 304])
def test_a_response_without_a_body_has_none(serve: Callable[..., Served], status: int) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send, b"not to be sent", status=status)

    method = "HEAD" if status == 200 else "GET"
    with serve(application).client() as client:
        for _ in range(2):
            response = client.get(method=method)
            assert response.status == status
            length = "14" if status == 200 else None
            assert response.header("content-length") == length
            assert response.header("transfer-encoding") is None


def test_head_may_say_a_length_and_send_nothing(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send, headers=[(b"content-length", b"1000")])

    with serve(application).client() as client:
        for _ in range(2):
            assert client.get(method="HEAD").header("content-length") == "1000"


def test_the_length_of_a_body_that_was_dropped_for_head_is_not_known(
    serve: Callable[..., Served],
) -> None:
    with serve(echo).client() as client:
        assert client.get(method="HEAD").header("content-length") is None
        assert client.get(method="GET").header("content-length") == "0"


def test_a_body_comes_whole_however_it_is_cut(serve: Callable[..., Served]) -> None:
    body = bytes(range(256)) * 4
    wire = request(method="POST", body=body) + chunked(
        body[:100], body[100:], trailers="X-A: b\r\n"
    )
    served = serve(echo)
    for size in (1, 7, 100, 5000):
        with served.client() as client:
            for start in range(0, len(wire), size):
                client.send(wire[start : start + size])
            assert client.response().body == body
            assert client.response().body == body


def test_a_large_body_comes_back(serve: Callable[..., Served]) -> None:
    body = b"0123456789abcdef" * 65536
    with serve(echo).client() as client:
        client.send(request(method="POST", body=body))
        assert client.response().body == body
        client.send(chunked(body, body))
        assert client.response().body == body + body


def test_pipelined_requests_are_answered_in_their_order(serve: Callable[..., Served]) -> None:
    async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        body = await body_of(receive)
        for _ in range(int(scope["query_string"] or b"0")):
            await asyncio.sleep(0)
        await respond(send, scope["path"].encode() + body)

    served = serve(application)
    with served.client() as client:
        # Those that come first take longest.
        wire = [
            request(f"/{number}?{9 - number % 10}", method="POST", body=b"=%d" % number)
            if number % 3
            else request(f"/{number}")
            for number in range(200)
        ]
        client.send(b"".join(wire))
        for number in range(200):
            expected = b"/%d=%d" % (number, number) if number % 3 else b"/%d" % number
            assert client.response().body == expected


def test_one_request_is_answered_at_a_time(serve: Callable[..., Served]) -> None:
    running = most = 0

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        await respond(send)
        running -= 1

    with serve(application).client() as client:
        client.send(request() * 20)
        for _ in range(20):
            client.response()
    assert most == 1


def test_more_pipelined_requests_than_memory_may_hold(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()

    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await gate.wait()
        await respond(send, scope["path"].encode())

    served = serve(application)
    count = 8000
    with served.client() as client:
        client.send(b"".join(request(f"/{number}") for number in range(count)))
        served.until(lambda: served.server.requests == 1)
        served.call(gate.set)
        for number in range(count):
            assert client.response().body == b"/%d" % number


def test_a_request_behind_an_answer_that_is_not_read(serve: Callable[..., Served]) -> None:
    """The response of one request is complete while its body still comes."""
    with serve(target).client() as client:
        client.send(request("/1", "Content-Length: 5", method="POST") + b"he")
        assert client.response().body == b"/1"
        client.send(b"llo" + request("/2"))
        assert client.response().body == b"/2"


def test_an_unread_body_of_some_size_does_not_stop_the_next_request(
    serve: Callable[..., Served],
) -> None:
    with serve(target).client() as client:
        client.send(request("/1", method="POST", body=b"x" * 200_000) + request("/2"))
        assert client.response().body == b"/1"
        assert client.response().body == b"/2"


def test_a_client_is_cut_off_that_goes_on_sending_what_nobody_wants(
    serve: Callable[..., Served],
) -> None:
    served = serve(target)
    with served.client() as client:
        client.send(request("/1", f"Content-Length: {1 << 30}", method="POST"))
        assert client.response().body == b"/1"
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            _send_on(client)


def _send_on(client: Client) -> None:
    while True:
        client.send(b"x" * 65536)


def test_continue_is_told_when_the_body_is_asked_for(serve: Callable[..., Served]) -> None:
    begun = asyncio.Event()
    gate = asyncio.Event()

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        begun.set()
        await gate.wait()
        await respond(send, await body_of(receive))

    served = serve(application)
    with served.client() as client:
        client.send(request("/", "Expect: 100-continue", "Content-Length: 5", method="POST"))
        served.until(begun.is_set)
        client.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.socket.recv(1)
        client.socket.settimeout(20)
        served.call(gate.set)
        assert client.interim().status == 100
        client.send(b"hello")
        response = client.response()
        assert response.body == b"hello"
        assert response.header("connection") is None
        assert client.get("/").status == 200


def test_continue_is_not_told_where_the_body_came_unasked(serve: Callable[..., Served]) -> None:
    with serve(echo).client() as client:
        client.send(request("/", "Expect: 100-continue", method="POST", body=b"hello"))
        response = client.response()
    assert response.interim == []
    assert response.body == b"hello"


def test_continue_is_never_told_where_the_body_is_not_wanted(serve: Callable[..., Served]) -> None:
    """What comes next could be the body as well as a request: the connection ends."""
    with serve(target).client() as client:
        client.send(request("/", "Expect: 100-continue", "Content-Length: 5", method="POST"))
        response = client.response()
        assert response.interim == []
        assert response.header("connection") == "close"
        assert client.is_ended()


def test_continue_is_not_told_within_a_response(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"early ", "more_body": True})
        body = await body_of(receive)
        await send({"type": "http.response.body", "body": body})

    with serve(application).client() as client:
        client.send(request("/", "Expect: 100-continue", "Content-Length: 5", method="POST"))
        assert client.head().status == 200
        assert client.chunk() == b"early "
        client.send(b"hello")
        assert client.chunk() == b"hello"
        assert client.chunk() is None


def test_old_clients_are_not_told_to_continue(serve: Callable[..., Served]) -> None:
    with serve(echo).client() as client:
        head = request(
            "/", "Expect: 100-continue", "Content-Length: 5", version="1.0", method="POST"
        )
        client.send(head + b"hello")
        response = client.response()
    assert response.interim == []
    assert response.body == b"hello"
