"""A program that serves: `program.py NAME BIND [SETTING=VALUE…]`; it says what happens to it."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
from typing import TYPE_CHECKING

import corrente

if TYPE_CHECKING:
    from .serving import Foreign


def say(text: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _lifespan(receive: Foreign, send: Foreign, scope: Foreign, *, failing: str = "") -> None:
    while True:
        message = await receive()
        kind = message["type"]
        say(kind)
        if kind == failing:
            await send({"type": f"{kind}.failed", "message": "no database"})
            return
        scope["state"]["database"] = "open"
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def _http(scope: Foreign, send: Foreign) -> None:
    say(f"request {scope['path']}")
    if scope["path"] == "/slow":
        await asyncio.sleep(0.5)
    if scope["path"] == "/endless":
        await asyncio.sleep(1000)
    body = json.dumps(scope["state"]).encode()
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": body})


async def plain(scope: Foreign, receive: Foreign, send: Foreign) -> None:
    """Serve with a lifespan that works."""
    if scope["type"] == "lifespan":
        return await _lifespan(receive, send, scope)
    return await _http(scope, send)


async def failing(scope: Foreign, receive: Foreign, send: Foreign) -> None:
    """Say that it cannot begin."""
    await _lifespan(receive, send, scope, failing="lifespan.startup")


async def failing_late(scope: Foreign, receive: Foreign, send: Foreign) -> None:
    """Say that it could not end."""
    if scope["type"] == "lifespan":
        return await _lifespan(receive, send, scope, failing="lifespan.shutdown")
    return await _http(scope, send)


async def taken(scope: Foreign, receive: Foreign, send: Foreign) -> None:
    """Listen on the server's own address, which nobody can then do besides."""
    assert scope["type"] == "lifespan"
    host, port = sys.argv[2].split(":")
    with socket.create_server((host, int(port))):
        await _lifespan(receive, send, scope)


async def without(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
    """Know no lifespan."""
    assert scope["type"] == "http"
    await _http(scope, send)


async def returning(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
    """Return at once where there is a lifespan."""
    if scope["type"] == "http":
        await _http(scope, send)


async def endless(scope: Foreign, receive: Foreign, send: Foreign) -> None:
    """Never end its lifespan."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        say("lifespan.shutdown")
        await asyncio.sleep(1000)
    await _http(scope, send)


def wsgi(_environ: Foreign, start_response: Foreign) -> list[bytes]:
    """Answer, synchronously."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"wsgi"]


def main(name: str, bind: str, *settings: str) -> None:
    """Serve until told to stop."""
    logging.basicConfig(level=logging.WARNING)
    given = dict(setting.split("=", 1) for setting in settings)
    values: dict[str, Foreign] = {key: json.loads(value) for key, value in given.items()}
    corrente.serve(globals()[name], bind=bind, **values)
    say("ended")


if __name__ == "__main__":
    main(*sys.argv[1:])
