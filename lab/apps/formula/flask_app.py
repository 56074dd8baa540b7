"""The rule's sync side: a request that works, then waits for calls or for one SQL query.

One request at a time in a worker, as the rule assumes.
"""

import atexit

from flask import Flask, request
from psycopg_pool import ConnectionPool

from formula.query import CONNECTIONS, DATABASE, QUERY, arguments
from requests_client import fetch, open_session
from workload import answer, burn

app = Flask(__name__)
session = open_session()
pool = ConnectionPool(
    DATABASE, min_size=1, max_size=CONNECTIONS, kwargs={"autocommit": True}, open=True
)
atexit.register(pool.close)


@app.get("/calls")
def calls() -> dict[str, int]:
    latency_ms = request.args.get("latency_ms", 10.0, type=float)
    burn(request.args.get("cpu_ms", 0.0, type=float))
    count = request.args.get("calls", 1, type=int)
    return answer([fetch(session, latency_ms) for _ in range(count)])


@app.get("/query")
def query() -> dict[str, object]:
    wait_ms = request.args.get("latency_ms", 2.0, type=float)
    with pool.connection() as connection:
        row = connection.execute(QUERY, arguments(wait_ms)).fetchone()
    return {"calls": 1, "row": row}
