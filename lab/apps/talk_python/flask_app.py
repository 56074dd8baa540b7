"""Talk Python's case, sync: a page in Flask with Psycopg, its queries one after another.

A connection is borrowed from the pool for the length of the queries.
"""

import atexit

from flask import Flask, render_template_string, request
from psycopg_pool import ConnectionPool

from talk_python.page import CONNECTIONS, DATABASE, QUERY, TEMPLATE, span

app = Flask(__name__)
pool = ConnectionPool(
    DATABASE, min_size=1, max_size=CONNECTIONS, kwargs={"autocommit": True}, open=True
)
atexit.register(pool.close)


@app.get("/page")
def page() -> str:
    queries = request.args.get("queries", 5, type=int)
    with pool.connection() as connection:
        sections = [connection.execute(QUERY, span()).fetchall() for _ in range(queries)]
    return render_template_string(TEMPLATE, sections=sections)
