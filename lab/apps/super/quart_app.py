"""Super.com's case, async: the search in Quart with aiohttp, all calls of a request at once.

LAB_GATHER=0 awaits them one after another: the step that changes the client alone.
"""

import asyncio

from aiohttp import ClientSession
from quart import Quart, request

from aiohttp_client import fetch, open_session
from workload import answer, setting

GATHER = setting("GATHER", 1) == 1

app = Quart(__name__)
session: ClientSession


@app.before_serving
async def open_connections() -> None:
    global session
    session = open_session()


@app.after_serving
async def close_connections() -> None:
    await session.close()


@app.get("/search")
async def search() -> dict[str, int]:
    calls = request.args.get("calls", 40, type=int)
    latency_ms = request.args.get("latency_ms", 10.0, type=float)
    if GATHER:
        return answer(await asyncio.gather(*(fetch(session, latency_ms) for _ in range(calls))))
    return answer([await fetch(session, latency_ms) for _ in range(calls)])
