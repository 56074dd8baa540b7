"""Frames that no client should send, each with its section of RFC 9113, and floods."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from .applications import respond, target, wsgi_echo
from .streams import (
    CONTINUATION,
    DATA,
    HEADERS,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    RawClient,
    block,
    pseudo,
    raw,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign, Served
    from .streams import Headers

#: Codes of errors (RFC 9113, section 7).
PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED = 1, 3, 5
FRAME_SIZE_ERROR, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 6, 9, 11

END_STREAM, END_HEADERS, PADDED, PRIORITIZED = 1, 4, 8, 32

GET = block(pseudo())


@dataclass(frozen=True)
class Case:
    """Bytes after a proper beginning, and with which of these codes the connection ends."""

    section: str
    what: str
    frames: tuple[bytes, ...]
    codes: tuple[int, ...]


ENDING = [
    Case("4.2", "a frame larger than we take", (raw(DATA, 0, 1, bytes(16_385)),), (6,)),
    Case("4.3", "a field block that is none", (raw(HEADERS, 5, 1, b"\xff" * 6),), (9,)),
    Case("4.3", "an index beyond the table", (raw(HEADERS, 5, 1, b"\xbf"),), (9,)),
    Case("4.3", "a table larger than ours", (raw(HEADERS, 5, 1, b"\x3f\xe2\x1f" + GET),), (9,)),
    Case("4.3", "a table's size behind a field", (raw(HEADERS, 5, 1, GET + b"\x20"),), (9,)),
    Case("4.3", "Huffman with wrong padding", (raw(HEADERS, 5, 1, b"\x40\1a\x81\0" + GET),), (9,)),
    Case("4.3", "a length beyond the block", (raw(HEADERS, 5, 1, GET + b"\x40\x7f\x7fa"),), (9,)),
    Case("5.1", "data on an idle stream", (raw(DATA, 0, 1, b"x"),), (1,)),
    Case("5.1", "a reset of an idle stream", (raw(RST_STREAM, 0, 1, bytes(4)),), (1,)),
    Case("5.1", "a window of an idle stream", (raw(WINDOW_UPDATE, 0, 1, b"\0\0\0\1"),), (1,)),
    Case("5.1.1", "a stream of the server's", (raw(HEADERS, 5, 2, GET),), (1,)),
    Case(
        "5.1.1",
        "a stream with a lower number",
        (raw(HEADERS, 5, 5, GET), raw(HEADERS, 5, 3, GET)),
        (1, 5),
    ),
    Case("6.1", "data on stream 0", (raw(DATA, 0, 0, b"x"),), (1,)),
    Case(
        "6.1",
        "padding longer than its frame",
        (raw(HEADERS, 4, 1, GET), raw(DATA, PADDED, 1, b"\x05ab")),
        (1,),
    ),
    Case("6.2", "headers on stream 0", (raw(HEADERS, 5, 0, GET),), (1,)),
    Case(
        "6.2", "padding longer than its head", (raw(HEADERS, 5 | PADDED, 1, b"\xff" + GET),), (1,)
    ),
    Case("6.2", "data within a head", (raw(HEADERS, 0, 1, GET), raw(DATA, 0, 1, b"x")), (1,)),
    Case(
        "6.2",
        "another head within a head",
        (raw(HEADERS, 0, 1, GET), raw(HEADERS, 5, 3, GET)),
        (1,),
    ),
    Case("6.3", "a priority on stream 0", (raw(PRIORITY, 0, 0, bytes(5)),), (1,)),
    Case("6.4", "a reset of stream 0", (raw(RST_STREAM, 0, 0, bytes(4)),), (1,)),
    Case(
        "6.4",
        "a reset of a wrong length",
        (raw(HEADERS, 4, 1, GET), raw(RST_STREAM, 0, 1, bytes(3))),
        (6,),
    ),
    Case("6.5", "settings on a stream", (raw(SETTINGS, 0, 1),), (1,)),
    Case("6.5", "settings of a wrong length", (raw(SETTINGS, 0, 0, bytes(5)),), (6,)),
    Case("6.5", "an acknowledgement that says something", (raw(SETTINGS, 1, 0, bytes(6)),), (6,)),
    Case("6.5.2", "push that is neither on nor off", (raw(SETTINGS, 0, 0, b"\0\2\0\0\0\2"),), (1,)),
    Case("6.5.2", "a window too large", (raw(SETTINGS, 0, 0, b"\0\4\x80\0\0\0"),), (3,)),
    Case("6.5.2", "frames too small", (raw(SETTINGS, 0, 0, b"\0\5\0\0\0\1"),), (1,)),
    Case("6.6", "a promise of a client", (raw(PUSH_PROMISE, 4, 1, b"\0\0\0\2" + GET),), (1,)),
    Case("6.7", "a ping on a stream", (raw(PING, 0, 1, bytes(8)),), (1,)),
    Case("6.7", "a ping of a wrong length", (raw(PING, 0, 0, bytes(7)),), (6,)),
    Case("6.9", "a window of nothing", (raw(WINDOW_UPDATE, 0, 0, bytes(4)),), (1,)),
    Case("6.9", "a window of a wrong length", (raw(WINDOW_UPDATE, 0, 0, bytes(3)),), (6,)),
    Case(
        "6.9.1", "a window beyond its limit", (raw(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"),), (3,)
    ),
    Case(
        "6.9.2",
        "an initial window that is too much for a stream",
        (
            raw(HEADERS, 4, 1, GET),
            raw(WINDOW_UPDATE, 0, 1, b"\x7f\xff\0\0"),
            raw(SETTINGS, 0, 0, b"\0\4\0\2\0\0"),
        ),
        (3,),
    ),
    Case("6.10", "a continuation of nothing", (raw(CONTINUATION, 4, 1, GET),), (1,)),
    Case(
        "6.10",
        "a continuation of another stream",
        (raw(HEADERS, 0, 1, GET), raw(CONTINUATION, 4, 3, b"")),
        (1,),
    ),
]


@pytest.mark.parametrize("case", ENDING, ids=[f"{case.section}: {case.what}" for case in ENDING])
def test_a_frame_that_ends_the_connection(serve: Callable[..., Served], case: Case) -> None:
    served = serve(target)
    with RawClient(served.address) as client:
        client.frames(*case.frames)
        # Crate h2 mostly says that without the particular (section 7 has both).
        assert client.goaway() in {*case.codes, PROTOCOL_ERROR}
    served.until(lambda: not served.server.connections)


def test_another_protocol_ends_the_connection(serve: Callable[..., Served]) -> None:
    """Section 3.4."""
    with serve(target).client() as client:
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"HTTP" not in client.rest()


#: Crate h2 does not read these at all, and ends the connection, as section 5.4.1 allows.
UNREADABLE = {
    "a name in upper case",
    "a name with a space",
    "an empty name",
    "a value with a line feed",
    "a value with a carriage return",
    "a value with a zero byte",
    "an unknown pseudo-header",
}

#: Heads that are malformed: their stream is reset or answered with 400, and others go on.
MALFORMED: list[tuple[str, str, Headers]] = [
    ("8.2.1", "a name in upper case", [*pseudo(), ("X-A", "b")]),
    ("8.2.1", "a name with a space", [*pseudo(), ("x a", "b")]),
    ("8.2.1", "an empty name", [*pseudo(), ("", "b")]),
    ("8.2.1", "a value with a line feed", [*pseudo(), ("x-a", "b\nc")]),
    ("8.2.1", "a value with a carriage return", [*pseudo(), ("x-a", "b\rc")]),
    ("8.2.1", "a value with a zero byte", [*pseudo(), ("x-a", "b\0c")]),
    ("8.2.1", "a value that begins with a space", [*pseudo(), ("x-a", " b")]),
    ("8.2.1", "a value that ends with a tab", [*pseudo(), ("x-a", "b\t")]),
    ("8.2.2", "connection", [*pseudo(), ("connection", "close")]),
    ("8.2.2", "proxy-connection", [*pseudo(), ("proxy-connection", "close")]),
    ("8.2.2", "keep-alive", [*pseudo(), ("keep-alive", "1")]),
    ("8.2.2", "transfer-encoding", [*pseudo(), ("transfer-encoding", "chunked")]),
    ("8.2.2", "upgrade", [*pseudo(), ("upgrade", "websocket")]),
    ("8.2.2", "te with more than trailers", [*pseudo(), ("te", "gzip")]),
    ("8.3", "a pseudo-header behind a field", [*pseudo()[:3], ("x-a", "b"), pseudo()[3]]),
    ("8.3", "an unknown pseudo-header", [*pseudo(), (":other", "b")]),
    ("8.3", "a pseudo-header of responses", [*pseudo(), (":status", "200")]),
    ("8.3.1", "no method", pseudo()[1:]),
    ("8.3.1", "no scheme", [pseudo()[0], *pseudo()[2:]]),
    ("8.3.1", "no path", [*pseudo()[:2], pseudo()[3]]),
    ("8.3.1", "an empty path", pseudo("")),
    ("8.3.1", "a path that is none", pseudo("a")),
    ("8.3.1", "an asterisk of GET", pseudo("*")),
    ("8.3.1", "two methods", [pseudo()[0], *pseudo()]),
    ("8.3.1", "a host with a user", pseudo(authority="me@test")),
    ("8.3.1", "a host that differs", [*pseudo(), ("host", "other")]),
    ("8.1.1", "a length that is too great", [*pseudo(), ("content-length", "5")]),
    ("8.1.1", "a length that is none", [*pseudo(), ("content-length", "+0")]),
    ("8.5", "CONNECT with a path", pseudo(method="CONNECT")),
]


@pytest.mark.parametrize(
    ("what", "headers"),
    [(what, headers) for _, what, headers in MALFORMED],
    ids=[f"{section}: {what}" for section, what, _ in MALFORMED],
)
def test_a_head_that_is_malformed(
    serve: Callable[..., Served], what: str, headers: Headers
) -> None:
    asked = []

    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        asked.append(scope["path"])
        await respond(send)

    with RawClient(serve(application).address) as client:
        client.frames(raw(HEADERS, END_STREAM | END_HEADERS, 1, block(headers)))
        if what in UNREADABLE:
            assert client.goaway() == PROTOCOL_ERROR
            assert asked == []
            return
        answer = client.answer(1)
        assert answer.reset == PROTOCOL_ERROR or answer.status in {400, 501}
        assert asked == []
        # The next one is answered on the same connection.
        client.frames(raw(HEADERS, END_STREAM | END_HEADERS, 3, block(pseudo("/next"))))
        assert client.answer(3).status == 200
    assert asked == ["/next"]


@pytest.mark.parametrize(
    ("flags", "trailers"),
    [
        (END_HEADERS, [("x-a", "b")]),
        (END_STREAM | END_HEADERS, [("connection", "close")]),
    ],
    ids=["no end", "connection"],
)
def test_trailers_that_are_malformed(
    serve: Callable[..., Served], flags: int, trailers: Headers
) -> None:
    """Section 8.1."""
    with RawClient(serve(waiting).address) as client:
        client.frames(raw(HEADERS, END_HEADERS, 1, GET), raw(HEADERS, flags, 1, block(trailers)))
        assert client.end(1) == PROTOCOL_ERROR


def test_a_head_on_a_stream_that_is_over(serve: Callable[..., Served]) -> None:
    """Section 5.1: closed."""
    with RawClient(serve(target).address) as client:
        head = raw(HEADERS, END_STREAM | END_HEADERS, 1, GET)
        client.frames(head)
        assert client.answer(1).status == 200
        client.frames(head)
        assert client.end(1) in {STREAM_CLOSED, PROTOCOL_ERROR}


def test_a_window_of_a_stream_beyond_its_limit(serve: Callable[..., Served]) -> None:
    """Section 6.9.1."""
    with RawClient(serve(waiting).address) as client:
        client.frames(
            raw(HEADERS, END_STREAM | END_HEADERS, 1, GET),
            raw(WINDOW_UPDATE, 0, 1, b"\x7f\xff\xff\xff"),
        )
        assert client.end(1) == FLOW_CONTROL_ERROR


def test_a_table_of_any_size_is_the_clients_affair(serve: Callable[..., Served]) -> None:
    """Section 6.5.2: what is promised need not be used."""
    with RawClient(serve(target).address) as client:
        for number, size in ((1, b"\xff\xff\xff\xff"), (3, bytes(4)), (5, b"\0\0\x10\0")):
            client.frames(raw(SETTINGS, 0, 0, b"\0\1" + size))
            client.frames(raw(HEADERS, END_STREAM | END_HEADERS, number, GET))
            assert client.answer(number).status == 200


def test_a_head_that_is_large_only_when_it_is_unpacked(serve: Callable[..., Served]) -> None:
    """A field of 4000 bytes in the table; 30 times its number are 120 KB, 16 000 times 64 MB."""
    served = serve(target)
    with RawClient(served.address) as client:
        # By numbers of the static table, and `:authority` without a place in the other one.
        get = b"\x82\x86\x84\1\4test"
        # A literal for the table (RFC 7541, section 6.2.1): its name, and a length of 127 + 3873.
        large = b"\x40\1a\x7f\xa1\x1e" + b"b" * 4000
        client.frames(raw(HEADERS, END_STREAM | END_HEADERS, 1, get + large))
        assert client.answer(1).status == 200
        client.frames(raw(HEADERS, END_STREAM | END_HEADERS, 3, get + b"\xbe" * 30))
        assert client.answer(3).status == 431
        client.frames(raw(HEADERS, END_STREAM | END_HEADERS, 5, get))
        assert client.answer(5).status == 200
        client.frames(raw(HEADERS, END_STREAM | END_HEADERS, 7, get + b"\xbe" * 16_000))
        assert client.goaway() == ENHANCE_YOUR_CALM
    assert served.server.requests == 2


@pytest.mark.parametrize("data", [b"xy", b""], ids=["more", "less"])
def test_data_of_another_length_than_they_say(serve: Callable[..., Served], data: bytes) -> None:
    """Section 8.1.1."""
    with RawClient(serve(waiting).address) as client:
        head = block([*pseudo(method="POST"), ("content-length", "1")])
        client.frames(raw(HEADERS, END_HEADERS, 1, head), raw(DATA, END_STREAM, 1, data))
        assert client.answer(1).reset == PROTOCOL_ERROR


def test_data_on_a_stream_that_was_ended(serve: Callable[..., Served]) -> None:
    """Section 5.1: half-closed (remote)."""
    with RawClient(serve(waiting).address) as client:
        client.frames(raw(HEADERS, END_STREAM | END_HEADERS, 1, GET), raw(DATA, 0, 1, b"x"))
        # Crate h2 says the general instead of the particular.
        assert client.end(1) in {STREAM_CLOSED, PROTOCOL_ERROR}


def test_more_data_than_a_window(serve: Callable[..., Served]) -> None:
    """Section 6.9.1."""
    goes_on = asyncio.Event()

    async def application(_scope: Foreign, _receive: Foreign, _send: Foreign) -> None:
        await goes_on.wait()

    served = serve(application)
    with RawClient(served.address) as client:
        piece = raw(DATA, 0, 1, bytes(16_384))
        client.frames(raw(HEADERS, END_HEADERS, 1, GET), *[piece] * 100)
        assert client.end(1) == FLOW_CONTROL_ERROR
        served.call(goes_on.set)


async def waiting(_scope: Foreign, receive: Foreign, _send: Foreign) -> None:
    """Answer nothing, until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def test_a_half_closed_stream_is_answered(serve: Callable[..., Served]) -> None:
    """Section 8.1: the client may reset nothing that it has ended, and is answered."""
    with RawClient(serve(target).address) as client:
        client.frames(raw(HEADERS, END_STREAM | END_HEADERS, 1, GET))
        answer = client.answer(1)
        assert (answer.status, answer.reset) == (200, None)


def test_a_stream_that_depends_on_itself(serve: Callable[..., Served]) -> None:
    """RFC 7540, section 5.3.1, which RFC 9113 has no more: an error of the stream at most."""
    with RawClient(serve(target).address) as client:
        itself = b"\0\0\0\1\x10"
        client.frames(raw(HEADERS, END_STREAM | END_HEADERS | PRIORITIZED, 1, itself + GET))
        answer = client.answer(1)
        assert answer.status == 200 or answer.reset == PROTOCOL_ERROR
        client.frames(
            raw(PRIORITY, 0, 3, b"\0\0\0\3\x10"),
            raw(HEADERS, END_STREAM | END_HEADERS, 5, GET),
        )
        assert client.answer(5).status == 200


def test_what_is_unknown_is_ignored(serve: Callable[..., Served]) -> None:
    """Sections 4.1, 5.5 and 6.5.2: frames, flags and settings of extensions; priorities of old."""
    with RawClient(serve(target).address) as client:
        client.frames(
            raw(0xEE, 0xFF, 0, b"extension"),
            raw(0xEE, 0xFF, 7, b""),
            raw(SETTINGS, 0, 0, b"\xff\xff\0\0\0\1"),
            raw(PRIORITY, 0, 9, b"\0\0\0\3\x10"),
            raw(PING, 0xFE & ~1, 0, bytes(8)),
            raw(HEADERS, END_STREAM | END_HEADERS | 0xC2, 1, GET),
        )
        assert client.answer(1).status == 200


def test_a_head_in_many_pieces(serve: Callable[..., Served]) -> None:
    """Section 4.3."""
    head = block([*pseudo("/pieces"), ("x-a", "b" * 100)])
    pieces = [raw(CONTINUATION, 0, 1, head[at : at + 40]) for at in range(20, len(head), 40)]
    with RawClient(serve(target).address) as client:
        client.frames(raw(HEADERS, END_STREAM, 1, head[:20]), *pieces)
        client.frames(raw(CONTINUATION, END_HEADERS, 1))
        assert client.answer(1).body == b"/pieces"


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({"max_headers": 5}, [(f"x-{number}", "a") for number in range(5)], 431),
        ({"max_head_bytes": 2000}, [("x-a", "a" * 2000)], 431),
        ({"max_target_bytes": 0}, [], 414),
        ({"max_body_bytes": 4}, [("content-length", "5")], 413),
    ],
)
def test_a_limit_that_a_head_goes_over(
    serve: Callable[..., Served], settings: Foreign, headers: Headers, status: int
) -> None:
    with RawClient(serve(target, **settings).address) as client:
        client.frames(raw(HEADERS, END_HEADERS, 1, block([*pseudo(method="POST"), *headers])))
        assert client.answer(1).status == status


def test_a_body_that_goes_over_its_limit(serve: Callable[..., Served]) -> None:
    served = serve(wsgi_echo, interface="wsgi", max_body_bytes=4)
    with RawClient(served.address) as client:
        client.frames(raw(HEADERS, END_HEADERS, 1, GET), raw(DATA, 0, 1, b"12345"))
        assert client.answer(1).status == 413


#: Floods: their name in the list of vulnerabilities, and frames without an end.
FLOODS: dict[str, list[bytes]] = {
    "rapid reset, CVE-2023-44487": [
        raw(HEADERS, END_STREAM | END_HEADERS, number, GET)
        + raw(RST_STREAM, 0, number, b"\0\0\0\x08")
        for number in range(1, 4001, 2)
    ],
    "made you reset, CVE-2025-8671": [
        raw(HEADERS, END_HEADERS, number, GET) + raw(WINDOW_UPDATE, 0, number, bytes(4))
        for number in range(1, 4001, 2)
    ],
    "continuation, CVE-2024-27316": [
        raw(HEADERS, 0, 1, GET),
        *[raw(CONTINUATION, 0, 1, block([("a", "b")]))] * 100_000,
    ],
    "continuations of nothing": [
        raw(HEADERS, 0, 1, GET),
        *[raw(CONTINUATION, 0, 1)] * 20_000,
    ],
    "acknowledgements of pings": [raw(PING, 1, 0, bytes(8))] * 20_000,
    "acknowledgements of settings": [raw(SETTINGS, 1, 0)] * 20_000,
    "frames of extensions": [raw(0xEE, 0, 0)] * 20_000,
    "empty trailers": [raw(HEADERS, END_STREAM, 1)] * 20_000,
    "ping, CVE-2019-9512": [raw(PING, 0, 0, bytes(8))] * 20_000,
    "settings, CVE-2019-9515": [raw(SETTINGS, 0, 0)] * 20_000,
    "empty data, CVE-2019-9518": [
        raw(HEADERS, END_HEADERS, 1, GET),
        *[raw(DATA, 0, 1)] * 20_000,
    ],
    "priorities, CVE-2019-9513": [raw(PRIORITY, 0, 1, b"\0\0\0\3\x10")] * 20_000,
    "windows": [raw(WINDOW_UPDATE, 0, 0, b"\0\0\0\1")] * 20_000,
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_flood_ends_the_connection(serve: Callable[..., Served], flood: list[bytes]) -> None:
    served = serve(waiting)
    with RawClient(served.address) as client:
        client.frames(*flood)
        assert client.goaway() in {PROTOCOL_ERROR, ENHANCE_YOUR_CALM}
    served.until(lambda: not served.server.connections)


def test_data_for_a_client_that_reads_nothing_wait(serve: Callable[..., Served]) -> None:
    """CVE-2019-9517: windows without an end, and a socket that nobody reads."""
    sent, piece = 0, bytes(65_536)

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200})
        while True:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            sent += len(piece)

    served, streams = serve(application), range(1, 20, 2)
    before, turns = -1, 0

    def is_still() -> bool:
        nonlocal before, turns
        turns, before = turns + 1 if sent == before else 0, sent
        return turns == 50

    with RawClient(served.address) as client:
        client.frames(
            raw(SETTINGS, 0, 0, b"\0\4\x7f\xff\xff\xff"),
            raw(WINDOW_UPDATE, 0, 0, b"\x7f\xff\0\0"),
            *[raw(HEADERS, END_STREAM | END_HEADERS, number, GET) for number in streams],
        )
        served.until(lambda: served.server.requests == len(streams))
        served.until(is_still)
        # The kernel has some of it, on both sides, and of each stream one piece waits.
        assert sent < 32_000_000
    served.rest()


def test_resets_one_by_one_are_counted(serve: Callable[..., Served]) -> None:
    """Rapid reset of requests that were taken up each time."""
    served = serve(waiting)
    with RawClient(served.address) as client:
        for number in range(1, 1001, 2):
            try:
                client.socket.sendall(raw(HEADERS, END_STREAM | END_HEADERS, number, GET))
                served.call(lambda: None)
                client.socket.sendall(raw(RST_STREAM, 0, number, b"\0\0\0\x08"))
                served.call(lambda: None)
            except OSError:
                break
        assert client.goaway() == ENHANCE_YOUR_CALM
    assert served.server.requests < 400


def test_pings_are_answered(serve: Callable[..., Served]) -> None:
    """Section 6.7: those that are no flood, in any number of seconds."""
    served = serve(target)
    with RawClient(served.address) as client:
        for _ in range(20):
            client.frames(*[raw(PING, 0, 0, bytes(8))] * 200)
            served.call(served.server.look)
            served.call(served.server.look)
        client.frames(raw(HEADERS, END_STREAM | END_HEADERS, 1, GET))
        assert client.answer(1).status == 200
