"""Paterson's benchmark in Starlette with Psycopg 3: a driver on libpq, as aiopg was.

Against the asyncpg program it shows what the driver alone is worth.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from paterson.row import CONNECTIONS, DATABASE, row_id, shape

QUERY = "select id, text from corrente_lab.rows where id = %s"


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    pool = AsyncConnectionPool(
        DATABASE, min_size=1, max_size=CONNECTIONS, kwargs={"autocommit": True}, open=False
    )
    async with pool as app.state.pool:
        yield


async def row(request: Request) -> JSONResponse:
    async with request.app.state.pool.connection() as connection:
        cursor = await connection.execute(QUERY, (row_id(),))
        return JSONResponse(shape(*await cursor.fetchone()))


app = Starlette(routes=[Route("/test", row)], lifespan=lifespan)
