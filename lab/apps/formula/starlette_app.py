"""The rule's async side: the same request in Starlette.

`/calls` awaits one call after another: the rule is about serving other requests meanwhile. The
others are what migrations meet: calls gathered (`/together`), one call whose driver was left as
it was (`/residue`), and a database that only one thread may use (`/serialised`), as code behind
`sync_to_async` is run.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asgiref.sync import sync_to_async
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import requests_client
from aiohttp_client import fetch, open_session
from formula.query import CONNECTIONS, DATABASE, QUERY, arguments, open_pool, run_queries
from formula.shape import Shape
from workload import answer, burn


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    pool = AsyncConnectionPool(
        DATABASE, min_size=1, max_size=CONNECTIONS, kwargs={"autocommit": True}, open=False
    )
    app.state.blocking_session = requests_client.open_session()
    app.state.blocking_pool = open_pool()
    async with pool as app.state.pool, open_session() as app.state.session:
        yield
    app.state.blocking_pool.close()


async def calls(request: Request) -> JSONResponse:
    shape, session = Shape.of(request.query_params), request.app.state.session
    burn(shape.cpu_ms)
    parts = [await fetch(session, shape.latency_ms, shape.lanes) for _ in range(shape.calls)]
    return JSONResponse(answer(parts))


async def together(request: Request) -> JSONResponse:
    shape, session = Shape.of(request.query_params), request.app.state.session
    burn(shape.cpu_ms)
    every = (fetch(session, shape.latency_ms, shape.lanes) for _ in range(shape.calls))
    return JSONResponse(answer(await asyncio.gather(*every)))


async def residue(request: Request) -> JSONResponse:
    shape, state = Shape.of(request.query_params), request.app.state
    burn(shape.cpu_ms)
    parts = [await fetch(state.session, shape.latency_ms) for _ in range(shape.calls - 1)]
    parts.append(requests_client.fetch(state.blocking_session, shape.latency_ms))
    return JSONResponse(answer(parts))


async def query(request: Request) -> JSONResponse:
    shape = Shape.of(request.query_params)
    burn(shape.cpu_ms)
    async with request.app.state.pool.connection() as connection:
        for _ in range(shape.calls):
            cursor = await connection.execute(QUERY, arguments(shape.latency_ms))
            row = await cursor.fetchone()
    return JSONResponse({"calls": shape.calls, "row": row})


async def serialised(request: Request) -> JSONResponse:
    shape = Shape.of(request.query_params)
    run = sync_to_async(run_queries, thread_sensitive=True)
    return JSONResponse(await run(request.app.state.blocking_pool, shape))


endpoints = (calls, together, residue, query, serialised)
app = Starlette(
    routes=[Route(f"/{endpoint.__name__}", endpoint) for endpoint in endpoints], lifespan=lifespan
)
