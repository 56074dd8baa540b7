"""The smallest JSON application in FastAPI."""

from __future__ import annotations

from fastapi import FastAPI


async def hello() -> dict[str, str]:
    """Greet."""
    return {"message": "Hello, world!"}


app = FastAPI()
app.add_api_route("/", hello)
