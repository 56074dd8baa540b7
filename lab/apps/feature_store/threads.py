"""Lemonade's feature store, before: FastAPI's thread pool, and a pool of threads for the features.

A request occupies one thread and looks its features up in others, with Requests.
"""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from requests_client import fetch, open_session
from workload import answer, setting

THREADS = setting("THREADS", 200)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = THREADS
    yield


app = FastAPI(lifespan=lifespan)
session = open_session()
lookups = ThreadPoolExecutor(THREADS)


@app.get("/features")
def features(calls: int = 10, latency_ms: float = 5.0) -> dict[str, int]:
    found = [lookups.submit(fetch, session, latency_ms) for _ in range(calls)]
    return answer([feature.result() for feature in found])
