"""The smallest JSON application in Flask."""

from __future__ import annotations

from flask import Flask


def hello() -> dict[str, str]:
    """Greet."""
    return {"message": "Hello, world!"}


app = Flask(__name__)
app.add_url_rule("/", "hello", hello)
