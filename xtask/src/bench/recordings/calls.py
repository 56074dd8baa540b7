"""The requests of the lab's scenario `formula` that call another service, without its database."""

from flask import Flask, request
from formula.shape import Shape
from requests_client import fetch, open_session
from workload import answer, burn

app = Flask(__name__)
session = open_session()


@app.get("/calls")
def calls() -> dict[str, int]:
    """Work, then call, one call after another."""
    shape = Shape.of(request.args)
    burn(shape.cpu_ms)
    return answer([fetch(session, shape.latency_ms, shape.lanes) for _ in range(shape.calls)])
