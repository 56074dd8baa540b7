"""The rule's sync side: a request that works, then waits for calls or for SQL queries.

One request at a time in a worker or thread, as the rule assumes. What the async side does at the
same time, by a blocking call or in one thread for all is the same here: one call after another.
"""

import atexit

from flask import Flask, request

from formula.query import open_pool, run_queries
from formula.shape import Shape
from requests_client import fetch, open_session
from workload import answer, burn

app = Flask(__name__)
session = open_session()
pool = open_pool()
atexit.register(pool.close)


@app.get("/calls")
@app.get("/together")
@app.get("/residue")
def calls() -> dict[str, int]:
    shape = Shape.of(request.args)
    burn(shape.cpu_ms)
    return answer([fetch(session, shape.latency_ms, shape.lanes) for _ in range(shape.calls)])


@app.get("/query")
@app.get("/serialised")
def query() -> dict[str, object]:
    return run_queries(pool, Shape.of(request.args))
