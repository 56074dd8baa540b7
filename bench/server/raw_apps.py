"""Applications of nothing but the interface, for the rows that measure a server alone.

`asgi` answers by path: a greeting, the body that came, that body's length, a stream of chunks, and
a file, which it hands to the server where the server takes files.
"""

from __future__ import annotations

import os
from typing import Any

HELLO = b"Hello, world!"
#: What a stream is made of: 64 chunks are 1 MiB.
CHUNK = bytes(range(256)) * 64
CHUNKS = 64
#: The file of the benchmark; whatever only checks answers has none.
FILE = os.environ.get("BENCH_FILE", os.devnull)

PLAIN = (b"content-type", b"text/plain")
BYTES = (b"content-type", b"application/octet-stream")


def start(length: int | None, kind: tuple[bytes, bytes] = PLAIN) -> dict[str, Any]:
    """Make the message that begins a response."""
    headers = [kind]
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    return {"type": "http.response.start", "status": 200, "headers": headers}


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """Answer by path."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["path"] == "/":
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [PLAIN, (b"content-length", b"13")],
            }
        )
        await send({"type": "http.response.body", "body": HELLO})
    else:
        await PATHS[scope["path"]](scope, receive, send)


async def lifespan(receive: Any, send: Any) -> None:
    """Begin and end with the server."""
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def echo(_scope: Any, receive: Any, send: Any) -> None:
    """Send back the body."""
    pieces = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    body = b"".join(pieces)
    await send(start(len(body), BYTES))
    await send({"type": "http.response.body", "body": body})


async def upload(_scope: Any, receive: Any, send: Any) -> None:
    """Count the body's bytes."""
    count = 0
    while True:
        message = await receive()
        count += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    body = b"%d" % count
    await send(start(len(body)))
    await send({"type": "http.response.body", "body": body})


async def stream(_scope: Any, _receive: Any, send: Any) -> None:
    """Send chunks without saying how many they will be."""
    await send(start(None, BYTES))
    for _ in range(CHUNKS):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def file(scope: Any, _receive: Any, send: Any) -> None:
    """Send a file: its path where the server takes it, else what is in it."""
    size = os.stat(FILE).st_size
    await send(start(size, BYTES))
    if "http.response.pathsend" in (scope.get("extensions") or {}):
        await send({"type": "http.response.pathsend", "path": FILE})
    else:
        await send({"type": "http.response.body", "body": content()})


def content() -> bytes:
    """Read the file, as a program does that waits for nobody."""
    with open(FILE, "rb") as stored:
        return stored.read()


PATHS = {"/echo": echo, "/upload": upload, "/stream": stream, "/file": file}


def wsgi(_environ: Any, start_response: Any) -> list[bytes]:
    """Answer the greeting."""
    start_response("200 OK", [("content-type", "text/plain"), ("content-length", "13")])
    return [HELLO]
