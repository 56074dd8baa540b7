"""The smallest JSON application in Flask, as its guide has it."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> dict[str, str]:
    """Greet."""
    return {"message": "Hello, world!"}
