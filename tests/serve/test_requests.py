"""The raw requests of tests/http, sent to a server: each is answered as their table says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .applications import body_of, respond
from .wire import Client, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign, Served

TABLE = Path(__file__).parents[1] / "http" / "requests"


def cases() -> list[Foreign]:
    """Give all cases, each with its file and name as its id."""
    found = [
        pytest.param(case, id=f"{file.stem}: {case['name']}")
        for file in sorted(TABLE.glob("*.toml"))
        for case in tomllib.loads(file.read_text())["case"]
    ]
    assert found
    return found


def filled(case: Foreign, text: str) -> bytes:
    """Give the bytes of a text in which marks stand for what is long."""
    fill = case.get("fill")
    if fill is not None:
        text = text.replace(fill["mark"], fill["with"] * fill["times"])
    return text.encode("latin-1")


def asked_to_continue(case: Foreign) -> bool:
    """Whether the last request holds its body back until it is asked for it."""
    return any(one.get("expects_continue", False) for one in case.get("requests", [])[-1:])


class Seen:
    """An application that remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[tuple[Foreign, bytes]] = []

    async def __call__(self, scope: Foreign, receive: Foreign, send: Foreign) -> None:
        """Read the request, and answer with its number."""
        try:
            body = await body_of(receive)
        except ConnectionError:
            return
        self.requests.append((scope, body))
        await respond(send, b"%d" % len(self.requests))


@pytest.mark.parametrize("case", cases())
def test_a_request_of_the_table(serve: Callable[..., Served], case: Foreign) -> None:
    seen = Seen()
    served = serve(seen, http2=False)
    asked = case.get("requests", [])
    whole = [one for one in asked if not one.get("partial")]
    with served.client() as client:
        client.send(filled(case, case["bytes"]))
        for number, one in enumerate(whole, start=1):
            response = client.response(one["method"])
            assert response.status == 200
            if one["method"] != "HEAD":
                assert response.body == b"%d" % number
        _see_end(served, client, case)
    assert len(seen.requests) >= len(whole)
    for (scope, body), one in zip(seen.requests, whole, strict=False):
        _compare(case, scope, body, one)


def _see_end(served: Served, client: Client, case: Foreign) -> None:
    if "status" in case:
        response = client.response()
        assert response.status == case["status"]
        assert response.header("connection") == "close"
        assert client.is_ended()
    elif case["connection"] == "close":
        assert client.is_ended()
    elif case["connection"] == "keep":
        assert client.get("/after").status == 200
    else:
        # Nothing of it was answered, and the server waits.
        if asked_to_continue(case):
            assert client.interim().status == 100
        served.call(lambda: None)
        client.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.socket.recv(1)


def _compare(case: Foreign, scope: Foreign, body: bytes, expected: Foreign) -> None:
    assert scope["method"] == expected["method"]
    assert body == filled(case, expected.get("body", ""))
    if "path" in expected:
        assert scope["raw_path"] == filled(case, expected["path"])
    headers = [tuple(pair) for pair in scope["headers"]]
    if "host" in expected:
        assert [value for name, value in headers if name == b"host"][:1] == [
            expected["host"].encode("latin-1")
        ]
    if "fields" in expected:
        given = [
            (name.encode("latin-1"), filled(case, value)) for name, value in expected["fields"]
        ]
        first = next(at for at, (name, _) in enumerate(headers) if name == b"host")
        assert headers[:first] + headers[first + 1 :] == given


def test_the_table_is_not_answered_by_accident(serve: Callable[..., Served]) -> None:
    with serve(Seen()).client() as client:
        client.send(request())
        assert client.response().body == b"1"
