"""The async contenders' database access: asyncpg and one pool in the process.

The pool belongs to the running loop, so a program opens it once its server has started.
"""

import asyncpg

from paterson.row import CONNECTIONS, DATABASE, NO_ROW, Work, row_id, shape

QUERY = "select id, text from corrente_lab.rows where id = $1"
SLOW_QUERY = "select id, text from corrente_lab.rows, pg_sleep($1) where id = $2"


async def open_pool() -> asyncpg.Pool:
    """A pool as large as all the pools of a sync contender together."""
    return await asyncpg.create_pool(DATABASE, min_size=1, max_size=CONNECTIONS)


async def random_row(pool: asyncpg.Pool, work: Work) -> dict[str, str]:
    """One row, ready to be sent as JSON: that of the last query."""
    if work.queries == 0:
        return NO_ROW
    if work.queries == 1 and not work.wait_ms:
        return shape(*await pool.fetchrow(QUERY, row_id()))
    async with pool.acquire() as connection:
        for _ in range(work.queries):
            if work.wait_ms:
                row = await connection.fetchrow(SLOW_QUERY, work.wait_ms / 1000, row_id())
            else:
                row = await connection.fetchrow(QUERY, row_id())
        return shape(*row)
