"""Who the client is behind proxies, by fields and by the PROXY protocol; and request ids."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import pytest

from corrente._native import Operations

from .applications import respond
from .wire import request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign, Served

FIELDS = (
    "X-Forwarded-For: 192.0.2.7",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: shop.example",
)
STANDARD = 'Forwarded: for="[2001:db8::1]:4711";proto=https;host="shop.example:8443"'
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


async def ends(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
    """Tell who talks to whom."""
    told = [scope["client"], scope["scheme"], scope["server"]]
    await respond(send, json.dumps(told).encode())


def wsgi_ends(environ: Foreign, start_response: Foreign) -> list[bytes]:
    """Tell the same."""
    start_response("200 OK", [("Content-Type", "application/json")])
    names = ("REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme", "SERVER_NAME", "SERVER_PORT")
    return [json.dumps([environ[name] for name in names]).encode()]


async def ids(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
    """Tell the request's ids; a path gives one of its own."""
    found = [value.decode() for name, value in scope["headers"] if name == b"x-request-id"]
    own = [(b"X-Request-ID", b"own")] if scope["path"] == "/own" else []
    await respond(send, json.dumps(found).encode(), headers=own)


def test_trusted_proxies_are_believed(serve: Callable[..., Served]) -> None:
    served = serve(ends, operations=Operations(trusted_proxies="127.0.0.1"))
    with served.client() as client:
        told = json.loads(client.get("/", *FIELDS).body)
        assert told == [["192.0.2.7", 0], "https", ["shop.example", 443]]
        told = json.loads(client.get("/", *FIELDS, "X-Forwarded-Port: 8443").body)
        assert told[2] == ["shop.example", 8443]
        told = json.loads(client.get("/", STANDARD).body)
        assert told == [["2001:db8::1", 4711], "https", ["shop.example", 8443]]
        # A client may write it before a proxy that sets the others.
        told = json.loads(client.get("/", *FIELDS, STANDARD).body)
        assert told[0] == ["192.0.2.7", 0]
        # What nobody says stays as the connection has it.
        told = json.loads(client.get("/", "X-Forwarded-For: 192.0.2.7").body)
        assert told == [["192.0.2.7", 0], "http", list(served.address)]


@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8, unix"])
def test_others_are_not(serve: Callable[..., Served], trusted: str) -> None:
    served = serve(ends, operations=Operations(trusted_proxies=trusted))
    with served.client() as client:
        told = json.loads(client.get("/", *FIELDS, STANDARD).body)
        assert told == [list(client.socket.getsockname()), "http", list(served.address)]


def test_wsgi_is_told_the_same(serve: Callable[..., Served]) -> None:
    trusting = Operations(trusted_proxies="127.0.0.1")
    served = serve(wsgi_ends, interface="wsgi", operations=trusting)
    with served.client() as client:
        told = json.loads(client.get("/", *FIELDS).body)
        assert told == ["192.0.2.7", "", "https", "shop.example", "443"]
        told = json.loads(client.get("/", STANDARD).body)
        assert told == ["2001:db8::1", "4711", "https", "shop.example", "8443"]
        assert json.loads(client.get().body)[0] == "127.0.0.1"


def block(command: int, family: int, addresses: bytes = b"") -> bytes:
    """Give a header of the PROXY protocol's version 2."""
    fixed = SIGNATURE + bytes((0x20 | command, family))
    return fixed + struct.pack("!H", len(addresses)) + addresses


LINE = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n"
BLOCK = block(1, 0x11, bytes((192, 0, 2, 7, 192, 0, 2, 1)) + struct.pack("!HH", 4711, 443))


@pytest.mark.parametrize("header", [LINE, BLOCK], ids=["version 1", "version 2"])
@pytest.mark.parametrize("rule", ["on", "required"])
def test_the_proxy_protocol_names_both_ends(
    serve: Callable[..., Served], header: bytes, rule: str
) -> None:
    served = serve(ends, operations=Operations(trusted_proxies="127.0.0.1", proxy_protocol=rule))
    expected = [["192.0.2.7", 4711], "http", ["192.0.2.1", 443]]
    with served.client() as client:
        client.send(header + request())
        assert json.loads(client.response().body) == expected
        # The client that it named is no trusted proxy.
        assert json.loads(client.get("/", *FIELDS).body) == expected
    with served.client() as client:
        for byte in header:
            client.send(bytes((byte,)))
        assert json.loads(client.get().body) == expected


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", block(0, 0)])
def test_a_proxy_that_speaks_for_itself_is_the_client(
    serve: Callable[..., Served], header: bytes
) -> None:
    rule = Operations(trusted_proxies="127.0.0.1", proxy_protocol="required")
    served = serve(ends, operations=rule)
    with served.client() as client:
        client.send(header + request())
        assert json.loads(client.response().body)[0] == list(client.socket.getsockname())


@pytest.mark.parametrize(
    ("rule", "sent", "text"),
    [
        ("on", b"PROXY TCP4 192.0.2.7 192.0.2.1 4711\r\n", "line is malformed"),
        ("required", SIGNATURE + b"\x91\x11\0\0", "block is malformed"),
        ("required", request(), "expected a PROXY protocol header"),
    ],
)
def test_what_is_no_header_ends_the_connection(
    serve: Callable[..., Served], rule: str, sent: bytes, text: str
) -> None:
    served = serve(ends, operations=Operations(trusted_proxies="127.0.0.1", proxy_protocol=rule))
    with served.client() as client:
        client.send(sent)
        assert client.is_ended()
    served.expect_report(text)


def test_where_it_is_allowed_it_need_not_come(serve: Callable[..., Served]) -> None:
    rule = Operations(trusted_proxies="127.0.0.1", proxy_protocol="on")
    served = serve(ends, operations=rule)
    with served.client() as client:
        assert json.loads(client.get().body)[0] == list(client.socket.getsockname())


def test_who_is_not_trusted_has_no_say(serve: Callable[..., Served]) -> None:
    served = serve(ends, operations=Operations(proxy_protocol="on"))
    with served.client() as client:
        client.send(LINE + request())
        assert client.response().status == 400
    served = serve(ends, operations=Operations(proxy_protocol="required"))
    for _ in range(2):
        with served.client() as client:
            assert client.is_ended()
    # Once, not for each connection.
    served.expect_report("127.0.0.1 is no trusted proxy")


def test_a_header_that_does_not_come_is_not_waited_for(serve: Callable[..., Served]) -> None:
    rule = Operations(trusted_proxies="127.0.0.1", proxy_protocol="required")
    served = serve(ends, operations=rule, head_timeout=0.05)
    with served.client() as client:
        client.send(LINE[:10])
        served.until(lambda: served.server.connections == 1)
        served.look_until(lambda: not served.server.connections)
        assert client.is_ended()


def test_requests_get_ids(serve: Callable[..., Served]) -> None:
    served = serve(ids, operations=Operations(request_id="on", trusted_proxies="127.0.0.1"))
    with served.client() as client:
        response = client.get("/", "X-Request-ID: client")
        (made,) = json.loads(response.body)
        assert response.header("x-request-id") == made
        assert len(made) == 32
        assert json.loads(client.get().body) != [made]
        assert client.get("/own").header("x-request-id") == "own"


def test_ids_of_trusted_proxies_are_kept(serve: Callable[..., Served]) -> None:
    served = serve(ids, operations=Operations(request_id="trusted", trusted_proxies="127.0.0.1"))
    with served.client() as client:
        response = client.get("/", "X-Request-ID: of-the-proxy")
        assert json.loads(response.body) == ["of-the-proxy"]
        assert response.header("x-request-id") == "of-the-proxy"
        for given in ("X-Request-ID: two words", "X-Request-ID: " + "x" * 200):
            (made,) = json.loads(client.get("/", given).body)
            assert len(made) == 32
    served = serve(ids, operations=Operations(request_id="trusted"))
    with served.client() as client:
        assert json.loads(client.get("/", "X-Request-ID: anybody").body) != ["anybody"]


def test_wsgi_gets_the_id(serve: Callable[..., Served]) -> None:
    def application(environ: Foreign, start_response: Foreign) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["HTTP_X_REQUEST_ID"].encode()]

    served = serve(application, interface="wsgi", operations=Operations(request_id="on"))
    with served.client() as client:
        response = client.get("/", "X-Request-ID: client")
        assert response.body.decode() == response.header("x-request-id") != "client"
