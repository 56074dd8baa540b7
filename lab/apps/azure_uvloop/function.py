"""Azure Functions' case: one HTTP-triggered function, started on either event loop.

It works a little, and where asked waits for some tasks at once, as the 500-user test did.
"""

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from workload import burn


async def hello(request: Request) -> PlainTextResponse:
    query = request.query_params
    burn(float(query.get("cpu_ms", "0")))
    tasks, task_ms = int(query.get("tasks", "0")), float(query.get("task_ms", "1"))
    if tasks:
        await asyncio.gather(*(asyncio.sleep(task_ms / 1000) for _ in range(tasks)))
    return PlainTextResponse("Hello from the function")


app = Starlette(routes=[Route("/api/hello", hello)])
