"""The smallest JSON application in FastAPI, as its guide has it."""

from __future__ import annotations

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def hello() -> dict[str, str]:
    """Greet."""
    return {"message": "Hello, world!"}
