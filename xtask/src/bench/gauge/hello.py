"""The service that is recorded: Flask's hello world, and a view that computes for 20 ms."""

import time

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """Greet."""
    return "Hello, World!"


@app.get("/work")
def work() -> str:
    """Compute until the thread's own clock says 20 ms."""
    end = time.thread_time_ns() + 20_000_000
    while time.thread_time_ns() < end:
        sum(range(500))
    return "done"
