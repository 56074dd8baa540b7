"""Servers that people run on an event loop, each with the smallest application that it has.

    python applications.py LOOP KIND

Tells its port in one line of JSON, `{"port": 40123}`, and serves until it is ended. The libraries
do all the work; of the loops each gets the same libraries.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import contenders

HELLO = b"Hello, world!"


async def serve_uvicorn() -> None:
    """Serve plain text by Uvicorn with httptools."""
    import uvicorn

    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(HELLO)).encode())]

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": HELLO})

    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
    )
    await uvicorn.Server(config).serve(sockets=[contenders.listen()])


async def serve_aiohttp() -> None:
    """Serve plain text by aiohttp."""
    from aiohttp import web

    async def hello(_request: web.Request) -> web.Response:
        return web.Response(text=HELLO.decode())

    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, contenders.listen()).start()
    await asyncio.Event().wait()


async def serve_websockets() -> None:
    """Echo by websockets, without compression."""
    from websockets.asyncio.server import ServerConnection, serve

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(echo, sock=contenders.listen(), compression=None):
        await asyncio.Event().wait()


SERVERS = {"uvicorn": serve_uvicorn, "aiohttp": serve_aiohttp, "websockets": serve_websockets}

if __name__ == "__main__":
    with contenders.runner(sys.argv[1]) as runner:
        runner.run(SERVERS[sys.argv[2]]())
