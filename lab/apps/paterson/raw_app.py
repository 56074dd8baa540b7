"""Paterson's benchmark without a framework: one row as JSON, by bare ASGI.

What a server and a driver come to where nothing stands between them.
"""

import json
from typing import Any

from paterson.asyncpg_rows import open_pool, random_row
from paterson.row import WORKS

HEADERS = [(b"content-type", b"application/json")]


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """Opens the pool with the server and closes it."""
    await receive()
    async with await open_pool() as scope["state"]["pool"]:
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(scope, receive, send)
        return
    work = WORKS.get(scope["path"])
    status = 200 if work else 404
    body = b""
    if work:
        body = json.dumps(await random_row(scope["state"]["pool"], work)).encode()
    headers = [*HEADERS, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
