"""Paterson's benchmark in Sanic: one row as JSON.

Served by uvicorn, as in his raw data.
"""

from functools import partial

from sanic import HTTPResponse, Request, Sanic, json

from paterson.asyncpg_rows import open_pool, random_row
from paterson.row import WORKS, Work

app = Sanic("paterson", configure_logging=False)


@app.before_server_start
async def open_connections(app: Sanic) -> None:
    app.ctx.pool = await open_pool()


@app.after_server_stop
async def close_connections(app: Sanic) -> None:
    await app.ctx.pool.close()


async def row(work: Work, request: Request) -> HTTPResponse:
    return json(await random_row(request.app.ctx.pool, work))


for path, work in WORKS.items():
    app.add_route(partial(row, work), path, name=path.strip("/").replace("-", "_"))
