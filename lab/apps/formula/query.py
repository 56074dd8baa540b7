"""The rule's SQL query: one row by primary key, after a wait that stands for disk and network.

The wait is pg_sleep's, so it costs neither side nor the database any processor time.
"""

import os
import random

from psycopg_pool import ConnectionPool

from formula.shape import Shape
from workload import WORKERS, burn, setting

#: Connection URL of the database.
DATABASE = os.environ["LAB_POSTGRES"]
#: Connections of this process: all processes of a contender share the same number.
CONNECTIONS = max(1, setting("CONNECTIONS", 16) // WORKERS)

QUERY = "select id, value, text from corrente_lab.rows, pg_sleep(%(wait_s)s) where id = %(id)s"


def arguments(wait_ms: float) -> dict[str, float]:
    """The query's arguments: a row at random, and how long it takes."""
    return {"id": random.randint(1, 10_000), "wait_s": wait_ms / 1000}


def open_pool() -> ConnectionPool:
    """The connections of a process that blocks on them."""
    kwargs = {"autocommit": True}
    return ConnectionPool(DATABASE, min_size=1, max_size=CONNECTIONS, kwargs=kwargs, open=True)


def run_queries(pool: ConnectionPool, shape: Shape) -> dict[str, object]:
    """Works, then runs the queries on one connection, blocking; what a request is answered."""
    burn(shape.cpu_ms)
    with pool.connection() as connection:
        for _ in range(shape.calls):
            row = connection.execute(QUERY, arguments(shape.latency_ms)).fetchone()
    return {"calls": shape.calls, "row": row}
