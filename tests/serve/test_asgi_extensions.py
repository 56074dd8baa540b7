"""ASGI's extensions: early hints, trailers, files by their path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .applications import respond
from .wire import request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .serving import Foreign, Served


def test_hints_come_before_the_response(serve: Callable[..., Served]) -> None:
    links = [b"</a.css>; rel=preload", b"</b.js>; rel=preload"]

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.early_hint", "links": links})
        await receive()
        await send({"type": "http.response.early_hint", "links": links[:1]})
        await respond(send, b"done")

    with serve(application).client() as client:
        client.send(request("/", "Content-Length: 1", method="POST"))
        first = client.interim()
        assert first.status == 103
        assert [value.encode() for value in first.all("link")] == links
        client.send(b"x")
        response = client.response()
        assert [len(one.all("link")) for one in response.interim] == [1]
        assert response.body == b"done"


def test_an_old_client_gets_no_hints(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.early_hint", "links": [b"</a>"]})
        await respond(send, b"done")

    with serve(application).client() as client:
        client.send(request(version="1.0"))
        response = client.response()
    assert response.interim == []
    assert response.body == b"done"


@pytest.mark.parametrize("pieces", [[b"one"], [b"one", b"two"], [b"one", b""]])
def test_trailers_follow_the_body(serve: Callable[..., Served], pieces: list[bytes]) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200, "trailers": True})
        *first, last = pieces
        for piece in first:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": last})
        fields = [(b"x-sum", b"1"), (b"x-end", b"2")]
        await send({"type": "http.response.trailers", "headers": fields})

    with serve(application).client() as client:
        for _ in range(2):
            response = client.get("/", "TE: trailers")
            assert response.body == b"".join(pieces)
            assert response.trailers == [("x-sum", "1"), ("x-end", "2")]


def test_trailers_in_several_messages(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200, "trailers": True})
        await send({"type": "http.response.body", "body": b"body"})
        for name, more in ((b"x-a", True), (b"x-b", False)):
            fields = [(name, b"1")]
            await send({"type": "http.response.trailers", "headers": fields, "more_trailers": more})

    with serve(application).client() as client:
        for _ in range(2):
            response = client.get("/", "TE: trailers")
            assert response.trailers == [("x-a", "1"), ("x-b", "1")]


def test_trailers_that_have_no_place_are_dropped(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        headers = [(b"content-length", b"4")]
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        await send({**start, "trailers": True})
        await send({"type": "http.response.body", "body": b"body"})
        await send({"type": "http.response.trailers", "headers": [(b"x-a", b"1")]})

    with serve(application).client() as client:
        for _ in range(2):
            assert client.get().body == b"body"


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_a_file_is_sent_by_its_path(
    serve: Callable[..., Served], tmp_path: Path, size: int
) -> None:
    content = (b"0123456789" * (size // 10 + 1))[:size]
    file = tmp_path / "file"
    file.write_bytes(content)

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.pathsend", "path": str(file)})

    with serve(application).client() as client:
        for _ in range(2):
            response = client.get()
            assert response.header("content-length") == str(size)
            assert response.body == content
            # Nothing may also be what is left where a body was dropped for `HEAD`.
            length = str(size) if size else None
            assert client.get(method="HEAD").header("content-length") == length


def test_a_file_that_is_missing_is_an_error(serve: Callable[..., Served], tmp_path: Path) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.pathsend", "path": str(tmp_path / "missing")})

    served = serve(application)
    with served.client() as client:
        assert client.get().status == 500
    assert isinstance(served.expect_report("raised an exception"), FileNotFoundError)
