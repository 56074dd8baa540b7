"""What surrounds requests surrounds those of HTTP/2 too: proxies, ids, counts, limits, paths."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from corrente._native import Operations
from corrente._own import Own

from .applications import body_of, respond, target
from .streams import DATA, GOAWAY, PING, Http2Client, raw, split
from .wire import READ

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign, Served


def test_proxies_and_ids(serve: Callable[..., Served]) -> None:
    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        (own,) = [value for name, value in scope["headers"] if name == b"x-request-id"]
        await respond(send, repr((scope["client"], scope["scheme"], own.decode())).encode())

    trusting = Operations(trusted_proxies="127.0.0.1", request_id="on", headers=[(b"x-a", b"1")])
    with Http2Client(serve(application, operations=trusting).address) as client:
        said = ("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https")
        answer = client.get("/", *said, ("x-request-id", "mine"))
        made = answer.header("x-request-id")
        assert answer.body == repr((("192.0.2.7", 0), "https", made)).encode()
        assert made != "mine"
        assert answer.header("x-a") == "1"


def test_counts_paths_and_a_limit_on_requests_at_once(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await gate.wait()
        await respond(send, await body_of(receive))

    own = Own(health="/health")
    operations = Operations(metrics="on", own_paths=own.paths, own=own)
    served = serve(application, operations=operations, max_in_flight=1)
    with Http2Client(served.address) as client:
        stream = client.ask(body=b"12345", method="POST")
        served.until(lambda: served.server.in_flight == 1)
        refused = client.get("/")
        assert (refused.status, refused.header("retry-after")) == (503, "1")
        assert client.get("/health").body == b"ok\n"
        served.call(gate.set)
        assert client.answer(stream).body == b"12345"
        aborted = client.ask(ends=False, method="POST")
        served.until(lambda: served.server.in_flight == 1)
        client.connection.reset_stream(aborted)
        client.flush()
        served.until(lambda: served.server.in_flight == 0)
        assert isinstance(served.expect_report("raised an exception"), ConnectionError)
    counts = operations.counts()
    assert counts is not None
    assert counts["classes"] == [0, 2, 0, 1, 1]
    assert counts["received_bytes"] == 5
    assert counts["sent_bytes"] == 5 + len("ok\n") + len(refused.body)


def test_a_connection_has_so_many_requests(serve: Callable[..., Served]) -> None:
    served = serve(target, operations=Operations(max_connection_requests=2))
    with Http2Client(served.address) as client:
        assert client.get("/1").body == b"/1"
        client.ask("/2")
        # hyper-h2 takes no frames after GOAWAY.
        came = b""
        while PING not in (kinds := [kind for kind, _ in split(came)]):
            came += client.socket.recv(READ)
        assert GOAWAY in kinds
        client.frames(raw(PING, 1, 0, dict(split(came))[PING]))
        while data := client.socket.recv(READ):
            came += data
        assert (DATA, b"/2") in split(came)


def test_it_may_stand_behind_the_proxy_protocol(serve: Callable[..., Served]) -> None:
    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send, repr((scope["client"], scope["http_version"])).encode())

    rule = Operations(trusted_proxies="127.0.0.1", proxy_protocol="required")
    served = serve(application, operations=rule)
    before = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n"
    connected = socket.create_connection(served.address)
    connected.sendall(before)
    with Http2Client(connected) as client:
        assert client.get("/").body == repr((("192.0.2.7", 4711), "2")).encode()
