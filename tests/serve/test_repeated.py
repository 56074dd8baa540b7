"""Requests and responses that are like others: what is used again of one is not another's."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import pytest

from corrente import _native

from .applications import PLAIN, respond
from .wire import request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign, Served


class Spoiling:
    """An application that keeps what is in its scopes, and then changes all of it."""

    def __init__(self) -> None:
        self.scopes: list[dict[str, Foreign]] = []

    async def __call__(self, scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        """Answer."""
        found = dict(scope)
        for name in ("headers", "extensions", "state"):
            if name in scope:
                found[name] = scope[name].copy()
                scope[name].clear()
        self.scopes.append(found)
        scope.clear()
        await respond(send)


HEAD = ("/a%20b?c", "Accept: */*", "X-Mixed: 1")


def test_a_request_that_comes_again_has_a_scope_of_its_own(serve: Callable[..., Served]) -> None:
    spoiling = Spoiling()
    served = serve(spoiling)
    clients = []
    for _ in range(2):
        with served.client() as client:
            clients.append(client.socket.getsockname())
            for _ in range(5):
                client.get(*HEAD)
    first, *others = spoiling.scopes
    assert (first["path"], first["query_string"]) == ("/a b", b"c")
    assert [tuple(pair) for pair in first["headers"]] == [
        (b"host", b"test"),
        (b"accept", b"*/*"),
        (b"x-mixed", b"1"),
    ]
    assert first["extensions"]
    for scope in others:
        assert {**scope, "client": first["client"]} == first
    assert [tuple(scope["client"]) for scope in spoiling.scopes] == [clients[0]] * 5 + [
        clients[1]
    ] * 5


class SpoilingWsgi:
    """The same of WSGI."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Foreign]] = []

    def __call__(self, environ: Foreign, start_response: Foreign) -> list[bytes]:
        """Answer."""
        self.environs.append(dict(environ))
        environ.clear()
        start_response("200 OK", [*PLAIN])
        return [b"body"]


def test_a_request_that_comes_again_has_an_environ_of_its_own(
    serve: Callable[..., Served],
) -> None:
    spoiling = SpoilingWsgi()
    served = serve(spoiling, interface="wsgi")
    clients = []
    for _ in range(2):
        with served.client() as client:
            clients.append(client.socket.getsockname())
            for _ in range(5):
                client.get(*HEAD)
    first, *others = spoiling.environs
    assert (first["PATH_INFO"], first["QUERY_STRING"]) == ("/a b", "c")
    assert (first["HTTP_ACCEPT"], first["HTTP_X_MIXED"]) == ("*/*", "1")
    own = ("REMOTE_ADDR", "REMOTE_PORT", "wsgi.early_hints")
    for environ in others:
        assert {**environ, **{name: first[name] for name in own}} == first
    assert [(each["REMOTE_ADDR"], int(each["REMOTE_PORT"])) for each in spoiling.environs] == [
        clients[0]
    ] * 5 + [clients[1]] * 5


def test_requests_of_wsgi_that_differ_are_not_taken_for_each_other(
    serve: Callable[..., Served],
) -> None:
    spoiling = SpoilingWsgi()
    bodies = [b"", b"one", b"two", b"three"]
    asked = [(path, secret, body) for path in "ab" for secret in "cd" for body in bodies] * 2
    bodies_read = []

    def app(environ: Foreign, start_response: Foreign) -> list[bytes]:
        bodies_read.append(environ["wsgi.input"].read())
        return spoiling(environ, start_response)

    with serve(app, interface="wsgi").client() as client:
        for path, secret, body in asked:
            for fields in [("X-Plain: 1",), (f"Cookie: {secret}",)]:
                for _ in range(3):
                    length = f"Content-Length: {len(body)}"
                    client.send(request(f"/{path}", *fields, length, method="POST") + body)
                    client.response()
    found = [
        (each["PATH_INFO"][1:], each.get("HTTP_COOKIE"), body)
        for each, body in zip(spoiling.environs, bodies_read, strict=True)
    ]
    assert found == [
        (path, cookie, body)
        for path, secret, body in asked
        for cookie in (None, secret)
        for _ in range(3)
    ]


def test_requests_that_differ_are_not_taken_for_each_other(serve: Callable[..., Served]) -> None:
    spoiling = Spoiling()
    asked = [(method, path) for path in "ab" for method in ("GET", "POST", "GET") for _ in "123"]
    with serve(spoiling).client() as client:
        for method, path in asked:
            client.get(f"/{path}", "Cookie: d", method=method)
    assert [(scope["method"], scope["path"][1:]) for scope in spoiling.scopes] == asked
    for scope in spoiling.scopes:
        assert (b"cookie", b"d") in [tuple(pair) for pair in scope["headers"]]


#: Fields that nobody else may ever find, and one that is like any other.
SECRET = ("Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "X-Auth-Token")
OPEN = "X-Plain"


def _kept(interface: str) -> set[str]:
    """Give the names of `SECRET` and `OPEN` whose values are in some object of Python's."""
    names = {f"{interface}'s {name}".encode(): name for name in (*SECRET, OPEN)}
    names_of_texts = {value.decode(): name for value, name in names.items()}
    found = set()
    for holder in gc.get_objects():
        if type(holder) is dict and "REQUEST_METHOD" in holder:
            found |= {names_of_texts.get(value) for value in holder.values() if value is not None}
        elif type(holder) is list:
            pairs = [pair for pair in holder if type(pair) is tuple and len(pair) == 2]
            found |= {names.get(value) for _, value in pairs if type(value) is bytes}
        elif type(holder) is tuple and len(holder) == 2 and type(holder[1]) is bytes:
            found.add(names.get(holder[1]))
    return {name for name in found if name is not None}


async def _answer(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
    await respond(send)


def _answer_by_wsgi(_environ: Foreign, start_response: Foreign) -> list[bytes]:
    start_response("200 OK", [*PLAIN])
    return [b"body"]


@pytest.mark.parametrize(
    ("application", "interface"), [(_answer, "asgi"), (_answer_by_wsgi, "wsgi")]
)
def test_what_is_secret_is_not_kept(
    serve: Callable[..., Served], application: Foreign, interface: str
) -> None:
    served = serve(application, interface=interface)
    with served.client() as client:
        for name in (*SECRET, OPEN):
            for _ in range(4):
                assert client.get("/", f"{name}: {interface}'s {name}").status == 200
    served.rest()
    # The pair of it is, for requests of ASGI.
    assert served.call(lambda: _kept(interface)) == ({OPEN} if interface == "asgi" else set())


def test_what_is_secret_in_a_response_is_not_kept(serve: Callable[..., Served]) -> None:
    names = ("set-cookie", "X-Auth-Token", OPEN)
    values = {name: f"kept {name}".encode() for name in names}

    async def app(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        name = scope["path"][1:]
        await respond(send, headers=[(name.encode(), values[name])])

    def counts() -> dict[str, int]:
        return {name: sys.getrefcount(values[name]) for name in names}

    served, before = serve(app), counts()
    with served.client() as client:
        for name in names:
            for _ in range(4):
                assert client.get(f"/{name}").header(name.lower()) == f"kept {name}"
    served.rest()
    after = served.call(counts)
    assert [name for name in names if after[name] > before[name]] == [OPEN]


def test_ids_are_of_one_request_each(serve: Callable[..., Served]) -> None:
    spoiling = Spoiling()
    operations = _native.Operations(request_id="on")
    with serve(spoiling, operations=operations).client() as client:
        sent = [client.get(*HEAD).header("x-request-id") for _ in range(4)]
    heard = [dict(scope["headers"])[b"x-request-id"].decode() for scope in spoiling.scopes]
    assert sent == heard
    assert len(set(heard)) == 4


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_a_response_is_like_another_one_only_where_all_is(
    serve: Callable[..., Served], interface: str
) -> None:
    # The second of its kind is encoded to be kept, the third one is written again.
    answers = [
        (200, [("x-a", "1")], "GET"),
        (200, [("x-a", "2")], "GET"),
        (200, [("x-b", "2")], "GET"),
        (201, [("x-a", "1")], "GET"),
        (200, [("x-a", "1"), ("x-b", "2")], "GET"),
        (200, [("x-b", "2"), ("x-a", "1")], "GET"),
        (200, [("x-a", "1")], "HEAD"),
        (200, [("set-cookie", "1")], "GET"),
        (200, [("x-a", "1" * 2000)], "GET"),
    ]
    wanted = [each for _ in range(3) for answer in answers for each in [answer] * 3]
    given = iter(wanted)

    async def app(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        status, fields, _ = next(given)
        pairs = [(name.encode(), value.encode()) for name, value in fields]
        await respond(send, b"body", status, pairs)

    def wsgi(_environ: Foreign, start_response: Foreign) -> list[bytes]:
        status, fields, _ = next(given)
        start_response(f"{status} OK", [*PLAIN, *fields])
        return [b"body"]

    served = serve(app) if interface == "asgi" else serve(wsgi, interface="wsgi")
    with served.client() as client:
        for status, fields, method in wanted:
            found = client.get(method=method)
            ours = ("date", "server", "content-length", "content-type")
            assert found.status == status
            assert [pair for pair in found.headers if pair[0] not in ours] == fields
            assert found.header("content-length") == "4"
            assert found.body == (b"" if method == "HEAD" else b"body")


def test_a_connection_that_ends_says_so_whatever_was_written_before(
    serve: Callable[..., Served],
) -> None:
    async def app(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send, headers=[(b"x-a", b"1")])

    served = serve(app)
    with served.client() as client:
        for _ in range(3):
            assert client.get().header("connection") is None
        assert client.get("/", "Connection: close").header("connection") == "close"
        assert client.is_ended()
