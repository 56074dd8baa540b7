"""Broken applications behind streams of HTTP/2: their stream fails, and others go on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import h2.events
import pytest

from corrente._native import Operations

from .applications import PLAIN, body_of, respond
from .streams import SETTINGS, Http2Client, pseudo, raw
from .test_faults import BROKEN_WITHIN, LAST, PIECE, START, TOKENS, sending
from .wire import LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .serving import Foreign, Served
    from .streams import Answer

#: The code of a stream that fails for the server's own reasons (RFC 9113, section 7).
INTERNAL_ERROR = 2


@pytest.mark.parametrize("path", TOKENS)
@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], "returned without a response"),
        ([START], "returned before its response was complete"),
        ([PIECE], "before 'http.response.start'"),
        ([START, START], "after 'http.response.start'"),
        ([{**START, "status": "200"}], "int"),
        ([{**START, "headers": [(b"a", b"b\nc: d")]}, LAST], "control character"),
        ([{"type": "unknown"}], "unexpected ASGI message 'unknown'"),
    ],
)
def test_an_application_that_has_not_begun_to_answer(
    serve: Callable[..., Served], messages: list[Foreign], said: str, path: str
) -> None:
    served = serve(sending(*messages))
    with Http2Client(served.address) as client:
        for _ in range(2):
            answer = client.get(path)
            assert (answer.status, answer.reset) == (500, None)
            assert answer.body == b"Internal Server Error\n"
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
    served = serve(sending(*messages, error=error))
    with Http2Client(served.address) as client:
        for _ in range(2):
            answer = client.get(path)
            assert (answer.status, answer.is_ended) == (200, False)
            assert answer.reset == INTERNAL_ERROR
            served.expect_report(said)


@pytest.mark.parametrize("path", TOKENS)
@pytest.mark.parametrize(
    ("messages", "error"), [([START, LAST], ValueError("mine")), ([START, LAST, LAST], None)]
)
def test_an_application_that_fails_after_its_response(
    serve: Callable[..., Served], messages: list[Foreign], error: Exception | None, path: str
) -> None:
    served = serve(sending(*messages, error=error))
    with Http2Client(served.address) as client:
        for _ in range(2):
            answer = client.get(path)
            assert (answer.status, answer.body, answer.reset) == (200, b"34", None)
            served.expect_report("raised an exception")


def test_a_failure_touches_no_other_stream(serve: Callable[..., Served]) -> None:
    goes_on = asyncio.Event()

    async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        if scope["path"] == "/fails":
            await send(START)
            await send(PIECE)
            raise ValueError("mine")
        body = await body_of(receive)
        await goes_on.wait()
        await respond(send, body)

    served = serve(application)
    with Http2Client(served.address) as client:
        waits = client.ask("/waits", body=b"whole", method="POST")
        assert client.get("/fails").reset == INTERNAL_ERROR
        served.expect_report("raised an exception")
        served.call(goes_on.set)
        assert client.answer(waits).body == b"whole"


def _says_more(_environ: Foreign, start_response: Foreign) -> list[bytes]:
    start_response("200 OK", [*PLAIN, ("Content-Length", "3")])
    return [b"12"]


def _gives_more(_environ: Foreign, start_response: Foreign) -> list[bytes]:
    start_response("200 OK", [*PLAIN, ("Content-Length", "3")])
    return [b"12", b"34"]


def _raises_in_the_middle(_environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
    start_response("200 OK", PLAIN)
    yield b"12"
    raise ValueError("mine")


def _yields_text(_environ: Foreign, start_response: Foreign) -> Iterator[bytes | str]:
    start_response("200 OK", PLAIN)
    yield b"12"
    yield "34"


def _raises(_environ: Foreign, _start_response: Foreign) -> list[bytes]:
    raise ValueError("mine")


def _does_not_start(_environ: Foreign, _start_response: Foreign) -> list[bytes]:
    return [b"body"]


def _starts_twice(_environ: Foreign, start_response: Foreign) -> list[bytes]:
    start_response("200 OK", PLAIN)
    start_response("200 OK", PLAIN)
    return [b""]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("application", [_raises, _does_not_start, _starts_twice])
def test_a_wsgi_application_that_has_not_begun_to_answer(
    serve: Callable[..., Served], application: Foreign, threads: int
) -> None:
    served = serve(application, interface="wsgi", threads=threads)
    with Http2Client(served.address) as client:
        for _ in range(2):
            assert client.get().status == 500
            served.expect_report("raised an exception")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "application", [_says_more, _gives_more, _raises_in_the_middle, _yields_text]
)
def test_a_wsgi_application_that_fails_within_its_response(
    serve: Callable[..., Served], application: Foreign, threads: int
) -> None:
    served = serve(application, interface="wsgi", threads=threads)
    with Http2Client(served.address) as client:
        for _ in range(2):
            answer = client.get()
            # The head may not have been sent yet.
            assert answer.reset == INTERNAL_ERROR or answer.status == 500
            assert answer.status != 200 or not answer.is_ended
            served.expect_report("raised an exception")


def test_a_body_that_only_trickles_is_cut(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        with contextlib.suppress(ConnectionError):
            await respond(send, await body_of(receive))

    operations = Operations(min_body_bytes=1_000_000)
    served = serve(application, head_timeout=1000.0, body_timeout=0.2, operations=operations)
    with Http2Client(served.address) as client:
        stream = client.ask(method="POST", body=b"x", ends=False)
        served.until(lambda: served.server.in_flight == 1)
        begun = time.monotonic()
        while served.call(lambda: served.server.in_flight):
            assert time.monotonic() < begun + LIMIT_S / 2, "it is never cut"
            client.connection.send_data(stream, b"x")
            client.flush()
            client.take()
            served.call(served.server.look)
        assert client.answer(stream).status == 408
        assert client.get().status == 200


def test_a_window_that_settings_make_negative(serve: Callable[..., Served]) -> None:
    """RFC 9113, section 6.9.2: nothing may come before it is positive again."""

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send, bytes(300_000))

    served = serve(application)
    with Http2Client(served.address, takes=False) as client:
        connection = client.connection
        connection.increment_flow_control_window(1_000_000)
        stream = client.ask_with(pseudo())
        body = client.answers[stream]
        client.until(lambda: len(body.body) == 65_535)
        # It was 0, and is 65 535 less now.
        client.frames(raw(SETTINGS, 0, 0, b"\0\4\0\0\0\0"))
        connection.increment_flow_control_window(65_535, stream)
        assert _come_after_a_ping(client, body) == 65_535
        connection.increment_flow_control_window(10, stream)
        assert _come_after_a_ping(client, body) == 65_545


def _come_after_a_ping(client: Http2Client, answer: Answer) -> int:
    client.connection.ping(b"8 octets")
    client.flush()
    client.event(h2.events.PingAckReceived)
    return len(answer.body)
