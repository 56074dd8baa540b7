"""The smallest JSON application of each framework, as its guide has it.

The frameworks are imported where they are asked for, so that a process holds no other: an
application is an attribute of this module that is made at its first use.
"""

from __future__ import annotations

from typing import Any

MESSAGE = {"message": "Hello, world!"}


def make_starlette() -> Any:
    """Make it in Starlette."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def hello(_request: Request) -> JSONResponse:
        return JSONResponse(MESSAGE)

    return Starlette(routes=[Route("/", hello)])


def make_fastapi() -> Any:
    """Make it in FastAPI."""
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    async def hello() -> dict[str, str]:
        return MESSAGE

    return app


def make_flask() -> Any:
    """Make it in Flask."""
    from flask import Flask

    app = Flask(__name__)

    @app.get("/")
    def hello() -> dict[str, str]:
        return MESSAGE

    return app


MAKERS = {"starlette": make_starlette, "fastapi": make_fastapi, "flask": make_flask}


def __getattr__(name: str) -> Any:
    if name not in MAKERS:
        raise AttributeError(name)
    app = MAKERS[name]()
    globals()[name] = app
    return app
