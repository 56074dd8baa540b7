"""Duolingo's case, sync: a microservice that works a little and calls other services.

One request at a time in a worker; its calls go out one after another over kept connections.
"""

from flask import Flask, request

from requests_client import fetch, open_session
from workload import answer, burn

app = Flask(__name__)
session = open_session()


@app.get("/service")
def service() -> dict[str, int]:
    calls = request.args.get("calls", 1, type=int)
    latency_ms = request.args.get("latency_ms", 10.0, type=float)
    burn(request.args.get("cpu_ms", 0.0, type=float))
    return answer([fetch(session, latency_ms) for _ in range(calls)])
