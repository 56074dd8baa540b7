"""The search as a coroutine that calls with Requests in threads: the step from threads to a loop.

The client is still the blocking one, and its calls still go one after another.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from quart import Quart, request

from requests_client import fetch, open_session
from workload import answer, setting

app = Quart(__name__)
session = open_session()


@app.before_serving
async def threads() -> None:
    executor = ThreadPoolExecutor(setting("THREADS", 24))
    asyncio.get_running_loop().set_default_executor(executor)


@app.get("/search")
async def search() -> dict[str, int]:
    calls = request.args.get("calls", 40, type=int)
    latency_ms = request.args.get("latency_ms", 10.0, type=float)
    return answer([await asyncio.to_thread(fetch, session, latency_ms) for _ in range(calls)])
