"""Halfway: the request is a coroutine, its lookups are still Requests in a pool of threads.

The step that changes the concurrency of the requests and leaves the client.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI

from requests_client import fetch, open_session
from workload import answer, setting

app = FastAPI()
session = open_session()
lookups = ThreadPoolExecutor(setting("THREADS", 200))


@app.get("/features")
async def features(calls: int = 10, latency_ms: float = 5.0) -> dict[str, int]:
    loop = asyncio.get_running_loop()
    found = (loop.run_in_executor(lookups, fetch, session, latency_ms) for _ in range(calls))
    return answer(await asyncio.gather(*found))
