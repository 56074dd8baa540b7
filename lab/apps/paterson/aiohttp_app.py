"""Paterson's benchmark in aiohttp's own server: one row as JSON.

Served by gunicorn's aiohttp worker, as in his raw data.
"""

from collections.abc import AsyncIterator
from functools import partial

import asyncpg
from aiohttp import web

from paterson.asyncpg_rows import open_pool, random_row
from paterson.row import WORKS, Work

POOL = web.AppKey("pool", asyncpg.Pool)


async def connections(app: web.Application) -> AsyncIterator[None]:
    """Opens the pool with the server and closes it."""
    async with await open_pool() as app[POOL]:
        yield


async def row(work: Work, request: web.Request) -> web.Response:
    return web.json_response(await random_row(request.app[POOL], work))


app = web.Application()
app.cleanup_ctx.append(connections)
for path, work in WORKS.items():
    app.router.add_get(path, partial(row, work))
