"""The smallest JSON application in Starlette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request


async def hello(_request: Request) -> JSONResponse:
    """Greet."""
    return JSONResponse({"message": "Hello, world!"})


app = Starlette(routes=[Route("/", hello)])
