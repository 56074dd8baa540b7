"""Paterson's benchmark in aiohttp's own server: one row as JSON.

Served by gunicorn's aiohttp worker, as in his raw data.
"""

from collections.abc import AsyncIterator

import asyncpg
from aiohttp import web

from paterson.asyncpg_rows import open_pool, random_row

POOL = web.AppKey("pool", asyncpg.Pool)


async def connections(app: web.Application) -> AsyncIterator[None]:
    """Opens the pool with the server and closes it."""
    async with await open_pool() as app[POOL]:
        yield


async def row(request: web.Request) -> web.Response:
    return web.json_response(await random_row(request.app[POOL]))


app = web.Application()
app.cleanup_ctx.append(connections)
app.router.add_get("/test", row)
