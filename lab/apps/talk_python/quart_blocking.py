"""The page in Quart with blocking queries: the step that changes the framework alone.

The queries run in a thread; as many threads (LAB_THREADS) as in the steps before.
"""

import asyncio
import atexit
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from psycopg_pool import ConnectionPool
from quart import Quart, render_template_string, request

from talk_python.page import CONNECTIONS, DATABASE, QUERY, TEMPLATE, span
from workload import setting

app = Quart(__name__)
pool = ConnectionPool(
    DATABASE, min_size=1, max_size=CONNECTIONS, kwargs={"autocommit": True}, open=True
)
atexit.register(pool.close)
executor = ThreadPoolExecutor(setting("THREADS", 16))


def find(queries: int) -> list[list[tuple[Any, ...]]]:
    """The rows of the page's sections."""
    with pool.connection() as connection:
        return [connection.execute(QUERY, span()).fetchall() for _ in range(queries)]


@app.get("/page")
async def page() -> str:
    queries = request.args.get("queries", 5, type=int)
    sections = await asyncio.get_running_loop().run_in_executor(executor, find, queries)
    return await render_template_string(TEMPLATE, sections=sections)
