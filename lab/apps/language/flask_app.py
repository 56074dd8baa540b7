"""Flask with Requests: the calls of a request one after another, in a worker that only waits.

Each thread keeps one Session, and so its connection to the origin, open.
"""

import os
import threading

import requests
from flask import Flask, request

ORIGIN = os.environ["LAB_ORIGIN"]
app = Flask(__name__)
local = threading.local()


def own_session() -> requests.Session:
    if not hasattr(local, "session"):
        local.session = requests.Session()
        local.session.trust_env = False
    session: requests.Session = local.session
    return session


@app.get("/")
def page() -> dict[str, int]:
    url = f"{ORIGIN}/anything?latency_ms={request.args['latency_ms']}"
    total = 0
    calls = int(request.args["calls"])
    for _ in range(calls):
        response = own_session().get(url, timeout=10)
        response.raise_for_status()
        total += len(response.content)
    return {"calls": calls, "bytes": total}
