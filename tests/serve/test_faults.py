"""Broken applications and bad clients: answered or ended, named, and of no harm to others."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from .applications import body_of, echo, respond, target
from .wire import request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign, Served

START: Foreign = {"type": "http.response.start", "status": 200}
LENGTH_3: Foreign = {**START, "headers": [(b"content-length", b"3")]}
PIECE: Foreign = {"type": "http.response.body", "body": b"12", "more_body": True}
LAST: Foreign = {"type": "http.response.body", "body": b"34"}

#: What an application sends that breaks its response off, what it raises then, and what is told.
BROKEN_WITHIN: list[tuple[list[Foreign], Exception | None, str]] = [
    ([START, PIECE], None, "before its response was complete"),
    ([START, PIECE], ValueError("mine"), "raised an exception"),
    ([START, PIECE, START], None, "raised an exception"),
    ([LENGTH_3, PIECE, LAST], None, "raised an exception"),
    ([LENGTH_3, PIECE, {**LAST, "body": b""}], None, "raised an exception"),
]


def sending(*messages: Foreign, error: Exception | None = None) -> Foreign:
    """Give an application that sends these, lets the loop turn, and ends."""

    async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        if scope["path"] == "/slow":
            await body_of(receive)
            await asyncio.sleep(0)
        for message in messages:
            await send(message)
        if error is not None:
            raise error

    return application


TOKENS = ["/", "/slow"]


@pytest.mark.parametrize("path", TOKENS)
@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], "returned without a response"),
        ([START], "returned before its response was complete"),
        ([PIECE], "before 'http.response.start'"),
        ([START, START], "after 'http.response.start'"),
        ([{"type": "http.response.start"}], "lacks 'status'"),
        ([{**START, "status": 20}, LAST], "expected 200 to 999"),
        ([{**START, "status": "200"}], "int"),
        ([{**START, "headers": [(b"a", b"b\nc: d")]}, LAST], "control character"),
        ([{**START, "headers": [(b"a b", b"c")]}, LAST], "names are tokens"),
        ([{**START, "headers": [("a", "b")]}, LAST], "pair of bytes"),
        ([{**START, "headers": [(b"content-length", b"x")]}, LAST], "content-length"),
        ([START, {"type": "http.response.body", "body": "text"}], "must be bytes"),
        ([START, {"type": "unknown"}], "unexpected ASGI message 'unknown'"),
        (["text"], "takes a dict"),
        ([{"status": 200}], "lacks 'type'"),
    ],
)
def test_an_application_that_has_not_begun_to_answer(
    serve: Callable[..., Served], messages: list[Foreign], said: str, path: str
) -> None:
    served = serve(sending(*messages, *([LAST] if len(messages) > 1 else [])))
    for _ in range(2):
        with served.client() as client:
            response = client.get(path)
            assert response.status == 500
            assert response.body == b"Internal Server Error\n"
            assert response.header("connection") == "close"
            assert client.is_ended()
        served.until(lambda: bool(served.reports))
        ((text, exception),) = served.reports
        served.reports.clear()
        assert said in (text if exception is None else str(exception))


@pytest.mark.parametrize("path", TOKENS)
@pytest.mark.parametrize(
    ("messages", "error", "said"),
    BROKEN_WITHIN,
)
def test_an_application_that_fails_within_its_response(
    serve: Callable[..., Served],
    messages: list[Foreign],
    error: Exception | None,
    said: str,
    path: str,
) -> None:
    """The client must be able to see that the response is not whole."""
    served = serve(sending(*messages, error=error))
    with served.client() as client:
        client.send(request(path))
        with pytest.raises((EOFError, ConnectionError)):
            client.response()
    served.expect_report(said)


@pytest.mark.parametrize("path", TOKENS)
def test_what_was_sent_before_a_failure_arrives(serve: Callable[..., Served], path: str) -> None:
    served = serve(sending(START, PIECE, error=ValueError("mine")))
    with served.client() as client:
        client.send(request(path))
        assert client.head().status == 200
        assert client.chunk() == b"12"
        with pytest.raises(EOFError):
            client.chunk()
    served.expect_report("raised an exception")


def test_a_failure_is_not_the_end_of_a_body_without_length(serve: Callable[..., Served]) -> None:
    """In HTTP/1.0 such a body ends with the connection; one that is not whole ends with a reset."""
    goes_on = asyncio.Event()

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send(START)
        await send(PIECE)
        await goes_on.wait()
        raise ValueError("mine")

    served = serve(application)
    with served.client() as client:
        client.send(request(version="1.0"))
        assert client.head().status == 200
        assert client.exactly(2) == b"12"
        served.call(goes_on.set)
        with pytest.raises(ConnectionResetError):
            client.exactly(1)
    served.expect_report("raised an exception")


@pytest.mark.parametrize("path", TOKENS)
def test_an_application_that_fails_after_its_response(
    serve: Callable[..., Served], path: str
) -> None:
    served = serve(sending(START, LAST, error=ValueError("mine")))
    with served.client() as client:
        assert client.get(path).body == b"34"
        served.expect_report("raised an exception")
        assert client.get(path).body == b"34"
    served.expect_report("raised an exception")


def test_an_application_that_sends_after_its_response(serve: Callable[..., Served]) -> None:
    served = serve(sending(START, LAST, LAST))
    with served.client() as client:
        assert client.get().body == b"34"
        error = served.expect_report("raised an exception")
        assert "after the response was complete" in str(error)
        assert client.get().body == b"34"
    served.expect_report("raised an exception")


def test_an_application_may_try_again_after_a_wrong_message(
    serve: Callable[..., Served],
) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        with pytest.raises(RuntimeError):
            await send(LAST)
        await respond(send, b"done")

    with serve(application).client() as client:
        assert client.get().body == b"done"


def test_an_application_that_cannot_be_called(serve: Callable[..., Served]) -> None:
    def application() -> None:
        pass

    served = serve(application)
    with served.client() as client:
        assert client.get().status == 500
    assert isinstance(served.expect_report("raised an exception"), TypeError)


def test_an_application_that_is_no_coroutine(serve: Callable[..., Served]) -> None:
    def application(_scope: Foreign, _receive: Foreign, _send: Foreign) -> int:
        return 1

    served = serve(application)
    with served.client() as client:
        assert client.get().status == 500
    assert isinstance(served.expect_report("raised an exception"), TypeError)


def test_an_application_that_cancels_itself(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, _receive: Foreign, _send: Foreign) -> None:
        raise asyncio.CancelledError

    served = serve(application)
    with served.client() as client:
        assert client.get().status == 500
    served.expect_report("raised an exception")


def test_a_failure_in_the_middle_of_pipelined_requests(serve: Callable[..., Served]) -> None:
    async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        if scope["path"] == "/2":
            raise ValueError("mine")
        await target(scope, receive, send)

    served = serve(application)
    with served.client() as client:
        client.send(request("/1") + request("/2") + request("/3"))
        assert client.response().body == b"/1"
        assert client.response().status == 500
        assert client.is_ended()
    served.expect_report("raised an exception")


def test_more_requests_than_the_server_takes(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await gate.wait()
        await respond(send, b"done")

    served = serve(application, max_in_flight=1)
    with served.client() as first, served.client() as second, served.client() as third:
        first.send(request())
        served.until(lambda: served.server.in_flight == 1)
        assert second.get().status == 503
        assert second.is_ended()
        served.call(gate.set)
        assert first.response().body == b"done"
        assert third.get().body == b"done"


@pytest.mark.parametrize("how", ["length", "chunked"])
def test_a_body_larger_than_the_server_takes(serve: Callable[..., Served], how: str) -> None:
    served = serve(echo, max_body_bytes=1000)
    with served.client() as client:
        if how == "length":
            client.send(request("/", "Content-Length: 1001", method="POST"))
        else:
            head = request("/", "Transfer-Encoding: chunked", method="POST")
            client.send(head + b"3e9\r\n")
        response = client.response()
        assert response.status == 413
        assert response.header("connection") == "close"
        assert client.is_ended()


def test_who_uploads_too_much_can_read_why(serve: Callable[..., Served]) -> None:
    """The server reads on for a while: a reset could overtake its answer."""
    served = serve(echo, max_body_bytes=1000)
    with served.client() as client:
        client.send(request(method="POST", body=b"x" * 1_000_000))
        assert client.response().status == 413


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0" * 100,
        b"GET / HTTP/2.0\r\n\r\n",
        b"x" * 100_000,
    ],
)
def test_garbage_is_refused(serve: Callable[..., Served], garbage: bytes) -> None:
    served = serve(target)
    with served.client() as client:
        client.send(garbage)
        assert client.response().status in (400, 431, 505)
        assert client.is_ended()
    assert served.server.requests == 0


def test_garbage_behind_a_request(serve: Callable[..., Served]) -> None:
    with serve(target).client() as client:
        client.send(request("/1") + b"\0garbage")
        assert client.response().body == b"/1"
        assert client.response().status == 400
        assert client.is_ended()


def test_garbage_within_a_body_is_told_to_the_application(serve: Callable[..., Served]) -> None:
    seen: list[str] = []

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        with pytest.raises(ConnectionError):
            await body_of(receive)
        with pytest.raises(OSError, match="disconnected"):
            await respond(send)
        seen.append("gone")

    served = serve(application)
    with served.client() as client:
        head = request("/", "Transfer-Encoding: chunked", method="POST")
        client.send(head + b"5\r\nhello\r\n")
        served.until(lambda: served.server.in_flight == 1)
        client.send(b"zz\r\n")
        assert client.response().status == 400
        assert client.is_ended()
    served.until(lambda: seen == ["gone"])


def test_clients_that_vanish_at_any_byte(serve: Callable[..., Served]) -> None:
    served = serve(echo)
    wire = request(method="POST", body=b"hello")
    served.until(lambda: not served.server.connections)
    served.reports.clear()
    for length in range(len(wire) + 1):
        client = served.client()
        client.send(wire[:length])
        client.reset()
    with served.client() as client:
        client.send(wire)
        assert client.response().body == b"hello"
    served.rest()
    # The applications of the two that vanished within their body could not read it.
    for text, error in served.reports:
        assert text == "the application raised an exception"
        assert isinstance(error, ConnectionError)
    served.reports.clear()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before, no task answers at once")
def test_a_client_that_ends_its_side_gets_what_is_there(serve: Callable[..., Served]) -> None:
    with serve(target).client() as client:
        client.send(request("/1") + request("/2"))
        client.socket.shutdown(1)
        assert client.response().body == b"/1"
        assert client.response().body == b"/2"
        assert client.is_ended()


def test_what_is_behind_an_upgrade_that_nobody_takes(serve: Callable[..., Served]) -> None:
    with serve(target).client() as client:
        fields = ["Connection: Upgrade", "Upgrade: unknown"]
        client.send(request("/1", *fields) + request("/2"))
        assert client.response().body == b"/1"
        assert client.response().body == b"/2"
