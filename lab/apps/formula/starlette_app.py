"""The rule's async side: the same request in Starlette, its calls awaited one after another.

Calls of one request are not overlapped: the rule is about serving other requests meanwhile.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from aiohttp_client import fetch, open_session
from formula.query import CONNECTIONS, DATABASE, QUERY, arguments
from workload import answer, burn


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    pool = AsyncConnectionPool(
        DATABASE, min_size=1, max_size=CONNECTIONS, kwargs={"autocommit": True}, open=False
    )
    async with pool as app.state.pool, open_session() as app.state.session:
        yield


async def calls(request: Request) -> JSONResponse:
    latency_ms = float(request.query_params.get("latency_ms", "10"))
    burn(float(request.query_params.get("cpu_ms", "0")))
    count = int(request.query_params.get("calls", "1"))
    return JSONResponse(answer([await fetch(app.state.session, latency_ms) for _ in range(count)]))


async def query(request: Request) -> JSONResponse:
    wait_ms = float(request.query_params.get("latency_ms", "2"))
    async with app.state.pool.connection() as connection:
        cursor = await connection.execute(QUERY, arguments(wait_ms))
        return JSONResponse({"calls": 1, "row": await cursor.fetchone()})


app = Starlette(routes=[Route("/calls", calls), Route("/query", query)], lifespan=lifespan)
