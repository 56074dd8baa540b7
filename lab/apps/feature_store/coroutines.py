"""Lemonade's feature store, after: the same FastAPI service on asyncio, without threads.

A request looks its features up at once with aiohttp.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from aiohttp_client import fetch, open_session
from workload import answer


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with open_session() as app.state.session:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/features")
async def features(calls: int = 10, latency_ms: float = 5.0) -> dict[str, int]:
    found = (fetch(app.state.session, latency_ms) for _ in range(calls))
    return answer(await asyncio.gather(*found))
