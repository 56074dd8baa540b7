"""The async contenders' database access: asyncpg and one pool in the process.

The pool belongs to the running loop, so a program opens it once its server has started.
"""

import asyncpg

from paterson.row import CONNECTIONS, DATABASE, row_id, shape

QUERY = "select id, text from corrente_lab.rows where id = $1"


async def open_pool() -> asyncpg.Pool:
    """A pool as large as all the pools of a sync contender together."""
    return await asyncpg.create_pool(DATABASE, min_size=1, max_size=CONNECTIONS)


async def random_row(pool: asyncpg.Pool) -> dict[str, str]:
    """One row, ready to be sent as JSON."""
    return shape(*await pool.fetchrow(QUERY, row_id()))
