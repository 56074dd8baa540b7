"""The sync contenders' database access: Psycopg 2 and a pool in each process, as in the original.

Autocommit, as asyncpg has it: no BEGIN and ROLLBACK around a query. Threads wait for a connection
as coroutines do: Psycopg 2's own pool raises an error instead.
"""

from threading import BoundedSemaphore

from psycopg2.pool import ThreadedConnectionPool

from paterson.row import CONNECTIONS, DATABASE, NO_ROW, Work, row_id, shape

QUERY = "select id, text from corrente_lab.rows where id = %s"
SLOW_QUERY = "select id, text from corrente_lab.rows, pg_sleep(%s) where id = %s"

_free = BoundedSemaphore(CONNECTIONS)
_pool = ThreadedConnectionPool(1, CONNECTIONS, DATABASE)


def random_row(work: Work) -> dict[str, str]:
    """One row, ready to be sent as JSON: that of the last query."""
    if work.queries == 0:
        return NO_ROW
    with _free:
        connection = _pool.getconn()
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for _ in range(work.queries):
                    if work.wait_ms:
                        cursor.execute(SLOW_QUERY, (work.wait_ms / 1000, row_id()))
                    else:
                        cursor.execute(QUERY, (row_id(),))
                return shape(*cursor.fetchone())
        finally:
            _pool.putconn(connection)
