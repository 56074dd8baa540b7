"""The same service in FastAPI with a blocking view: the step that changes the framework alone.

FastAPI runs it in a thread; as many threads (LAB_THREADS) as in the steps before.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from requests_client import fetch, open_session
from workload import answer, burn, setting


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = setting("THREADS", 32)
    yield


app = FastAPI(lifespan=lifespan)
session = open_session()


@app.get("/service")
def service(calls: int = 1, latency_ms: float = 10.0, cpu_ms: float = 0.0) -> dict[str, int]:
    burn(cpu_ms)
    return answer([fetch(session, latency_ms) for _ in range(calls)])
