"""Talk Python's case, async: the page in Quart with Psycopg's asynchronous half.

The queries are awaited one after another on one connection, as in the Flask version.
"""

from psycopg_pool import AsyncConnectionPool
from quart import Quart, render_template_string, request

from talk_python.page import CONNECTIONS, DATABASE, QUERY, TEMPLATE, span

app = Quart(__name__)
pool = AsyncConnectionPool(
    DATABASE, min_size=1, max_size=CONNECTIONS, kwargs={"autocommit": True}, open=False
)


@app.before_serving
async def open_pool() -> None:
    await pool.open()


@app.after_serving
async def close_pool() -> None:
    await pool.close()


@app.get("/page")
async def page() -> str:
    queries = request.args.get("queries", 5, type=int)
    sections = []
    async with pool.connection() as connection:
        for _ in range(queries):
            rows = await connection.execute(QUERY, span())
            sections.append(await rows.fetchall())
    return await render_template_string(TEMPLATE, sections=sections)
