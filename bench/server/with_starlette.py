"""The smallest JSON application in Starlette, as its guide has it."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def hello(_request: Request) -> JSONResponse:
    """Greet."""
    return JSONResponse({"message": "Hello, world!"})


app = Starlette(routes=[Route("/", hello)])
