"""Paterson's benchmark in Starlette with Psycopg 3: a driver on libpq, as aiopg was.

Against the asyncpg program it shows what the driver alone is worth.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from paterson.row import CONNECTIONS, DATABASE, NO_ROW, WORKS, Work, row_id, shape

QUERY = "select id, text from corrente_lab.rows where id = %s"
SLOW_QUERY = "select id, text from corrente_lab.rows, pg_sleep(%s) where id = %s"


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    pool = AsyncConnectionPool(
        DATABASE, min_size=1, max_size=CONNECTIONS, kwargs={"autocommit": True}, open=False
    )
    async with pool as app.state.pool:
        yield


async def row(work: Work, request: Request) -> JSONResponse:
    if work.queries == 0:
        return JSONResponse(NO_ROW)
    async with request.app.state.pool.connection() as connection:
        for _ in range(work.queries):
            if work.wait_ms:
                cursor = await connection.execute(SLOW_QUERY, (work.wait_ms / 1000, row_id()))
            else:
                cursor = await connection.execute(QUERY, (row_id(),))
        return JSONResponse(shape(*await cursor.fetchone()))


routes = [Route(path, partial(row, work)) for path, work in WORKS.items()]
app = Starlette(routes=routes, lifespan=lifespan)
