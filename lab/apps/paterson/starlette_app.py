"""Paterson's benchmark in Starlette: one row as JSON.

His fastest async entry.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from paterson.asyncpg_rows import open_pool, random_row
from paterson.row import WORKS, Work


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with await open_pool() as app.state.pool:
        yield


async def row(work: Work, request: Request) -> JSONResponse:
    return JSONResponse(await random_row(request.app.state.pool, work))


routes = [Route(path, partial(row, work)) for path, work in WORKS.items()]
app = Starlette(routes=routes, lifespan=lifespan)
