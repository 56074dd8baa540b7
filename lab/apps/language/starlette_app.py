"""Starlette with aiohttp's client: the calls of a request at once, or awaited one after another.

LAB_ORDER says which: `together` or `sequential`.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ORIGIN = os.environ["LAB_ORIGIN"]
TOGETHER = os.environ["LAB_ORDER"] == "together"


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        app.state.session = session
        yield


async def call(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as response:
        response.raise_for_status()
        return len(await response.read())


async def page(request: Request) -> JSONResponse:
    session = request.app.state.session
    url = f"{ORIGIN}/anything?latency_ms={request.query_params['latency_ms']}"
    calls = int(request.query_params["calls"])
    if TOGETHER:
        sizes = await asyncio.gather(*(call(session, url) for _ in range(calls)))
    else:
        sizes = [await call(session, url) for _ in range(calls)]
    return JSONResponse({"calls": calls, "bytes": sum(sizes)})


app = Starlette(routes=[Route("/", page)], lifespan=lifespan)
