"""Several applications in one server, each below its prefix."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING

import pytest

from corrente._lifespan import LifespanError
from corrente._serve import _Lives

from .wire import LIMIT_S, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign, Served


def wsgi(name: str) -> Foreign:
    """Make an application that tells what it was asked."""

    def application(environ: Foreign, start_response: Foreign) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        keys = ("SCRIPT_NAME", "PATH_INFO", "wsgi.multithread")
        return [json.dumps([name, *(environ[key] for key in keys)]).encode()]

    return application


def asgi(name: str) -> Foreign:
    """Make an application that tells what it was asked."""

    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        told = [name, scope["root_path"], scope["path"], scope.get("state")]
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": json.dumps(told).encode()})

    return application


def _ask(served: Served, target: str) -> Foreign:
    with served.client() as client:
        return json.loads(client.get(target).body)


MOUNTS = [
    ("/api", asgi("api"), "asgi", {"is": "kept"}),
    ("/api/old", wsgi("old"), "wsgi", None),
]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/", ["main", "", "/", True]),
        ("/other", ["main", "", "/other", True]),
        ("/apiary", ["main", "", "/apiary", True]),
        ("/api", ["api", "/api", "/api", {"is": "kept"}]),
        ("/api/", ["api", "/api", "/api/", {"is": "kept"}]),
        ("/api/x?y=/api/old", ["api", "/api", "/api/x", {"is": "kept"}]),
        ("/%61pi/x", ["api", "/api", "/api/x", {"is": "kept"}]),
        ("/api/old", ["old", "/api/old", "", True]),
        ("/api/old/x", ["old", "/api/old", "/x", True]),
        ("/api/%6Fld/x", ["old", "/api/old", "/x", True]),
        ("/api/older", ["api", "/api", "/api/older", {"is": "kept"}]),
        ("http://test/api/x", ["api", "/api", "/api/x", {"is": "kept"}]),
    ],
)
def test_the_longest_prefix_has_it(
    serve: Callable[..., Served], target: str, told: Foreign
) -> None:
    served = serve(wsgi("main"), interface="wsgi", mounts=MOUNTS)
    assert _ask(served, target) == told


@pytest.mark.parametrize("prefix", ["", "/base"])
def test_a_proxy_may_take_the_root_off_or_leave_it(
    serve: Callable[..., Served], prefix: str
) -> None:
    served = serve(wsgi("main"), interface="wsgi", root_path="/base", mounts=MOUNTS)
    assert _ask(served, f"{prefix}/x") == ["main", "/base", "/x", True]
    told = ["api", "/base/api", "/base/api/x", {"is": "kept"}]
    assert _ask(served, f"{prefix}/api/x") == told
    assert _ask(served, f"{prefix}/api/old/x") == ["old", "/base/api/old", "/x", True]


def test_wsgi_does_not_stop_an_asgi_application_beside_it(serve: Callable[..., Served]) -> None:
    may_end = threading.Event()

    def slow(_environ: Foreign, start_response: Foreign) -> list[bytes]:
        assert may_end.wait(LIMIT_S)
        start_response("200 OK", [])
        return [b"slow"]

    served = serve(asgi("main"), mounts=[("/slow", slow, "wsgi", None)])
    with served.client() as client:
        client.send(request("/slow"))
        served.until(lambda: served.server.in_flight == 1)
        assert _ask(served, "/")[0] == "main"
        may_end.set()
        assert client.response().body == b"slow"


def test_alone_wsgi_stays_in_the_loop(serve: Callable[..., Served]) -> None:
    mounts = [("/other", wsgi("other"), "wsgi", None)]
    served = serve(wsgi("main"), interface="wsgi", mounts=mounts)
    assert _ask(served, "/other/x") == ["other", "/other", "/x", False]


@pytest.mark.parametrize("prefix", ["", "/", "api", "/api/"])
def test_a_prefix_that_is_none(serve: Callable[..., Served], prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        serve(wsgi("main"), interface="wsgi", mounts=[(prefix, wsgi("x"), "wsgi", None)])


def test_applications_that_have_begun_end_where_another_cannot_begin() -> None:
    told: list[tuple[str, str]] = []

    def living(name: str, answer: str = "complete") -> Foreign:
        async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
            while True:
                kind = (await receive())["type"]
                told.append((name, kind))
                await send({"type": f"{kind}.{answer}"})
                if kind == "lifespan.shutdown" or answer == "failed":
                    return

        return application

    async def begin() -> None:
        lives = _Lives("auto")
        for application in (living("first"), living("second"), living("third", "failed")):
            lives.state_of(application, "asgi")
        await lives.begin()

    with pytest.raises(LifespanError, match=r"failed at lifespan\.startup"):
        asyncio.run(begin())
    names = [name for name, kind in told if kind == "lifespan.shutdown"]
    assert names == ["second", "first"]
    assert told[2] == ("third", "lifespan.startup")
