"""A Starlette service: it awaits, it computes, and one endpoint blocks the loop."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

HTTP_PORT = int(os.environ["HTTP_PORT"])


def compute(milliseconds: float) -> None:
    """Use the processor for so long."""
    end = time.thread_time() + milliseconds / 1000
    while time.thread_time() < end:
        sum(range(200))


async def web(_request: Request) -> PlainTextResponse:
    """One call of another service, awaited."""
    reader, writer = await asyncio.open_connection("127.0.0.1", HTTP_PORT)
    writer.write(b"GET /20 HTTP/1.1\r\nHost: other\r\n\r\n")
    await reader.readuntil(b"ok")
    writer.close()
    compute(1)
    return PlainTextResponse("ok")


async def work(_request: Request) -> PlainTextResponse:
    """Nothing but work."""
    compute(6)
    return PlainTextResponse("ok")


async def blocked(_request: Request) -> PlainTextResponse:
    """Sleeps without awaiting: everybody waits."""
    time.sleep(0.005)  # noqa: ASYNC251 that is what is measured
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/web", web), Route("/work", work), Route("/blocked", blocked)])
