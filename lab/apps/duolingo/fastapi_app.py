"""Duolingo's case, async: the same microservice, its calls awaited one after another.

The calls of one request are not overlapped: the gain, if any, is from serving others meanwhile.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from aiohttp_client import fetch, open_session
from workload import answer, burn


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with open_session() as app.state.session:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/service")
async def service(calls: int = 1, latency_ms: float = 10.0, cpu_ms: float = 0.0) -> dict[str, int]:
    burn(cpu_ms)
    return answer([await fetch(app.state.session, latency_ms) for _ in range(calls)])
