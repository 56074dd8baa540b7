"""Clients that people run on an event loop: how many answers they get, and what that costs them.

    python clients.py LOOP KIND PORT

KIND is `asyncpg` or `aiohttp`; on PORT is what answers. Tells `{"ready": true}` in a line of JSON
once connected, and then takes questions from standard input: `check` is answered by
`{"right": true}`, `measure SECONDS` makes requests for so long and is answered by
`{"operations": …, "seconds": …}`. Some users ask at once, each one thing at a time.
"""

from __future__ import annotations

import asyncio
import sys
from time import perf_counter
from typing import TYPE_CHECKING

import contenders

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    #: Makes one request; whether the answer is right.
    Ask: TypeAlias = Callable[[], Awaitable[bool]]

HOST = "127.0.0.1"
USERS = 10


async def connect_asyncpg(port: int) -> list[Ask]:
    """Connect to PostgreSQL, once for each user."""
    import asyncpg

    async def user() -> Ask:
        connection = await asyncpg.connect(
            host=HOST, port=port, user="bench", database="bench", ssl=False
        )

        async def ask() -> bool:
            return bool(await connection.fetchval("SELECT 42::int4") == 42)

        return ask

    return [await user() for _ in range(USERS)]


async def connect_aiohttp(port: int) -> list[Ask]:
    """Make a session for all users."""
    import aiohttp

    session = aiohttp.ClientSession()
    url = f"http://{HOST}:{port}/"

    async def ask() -> bool:
        async with session.get(url) as response:
            return response.status == 200 and len(await response.read()) == 1024

    return [ask] * USERS


async def use(ask: Ask, end: float) -> int:
    """Ask until it is time; give the number of answers."""
    count = 0
    while perf_counter() < end:
        if not await ask():
            raise ValueError("an answer is wrong")
        count += 1
    return count


async def measure(users: list[Ask], seconds: float) -> dict[str, object]:
    """Have all users ask for so long."""
    begin = perf_counter()
    counts = await asyncio.gather(*(use(ask, begin + seconds) for ask in users))
    return {"operations": sum(counts), "seconds": perf_counter() - begin}


async def check(users: list[Ask]) -> dict[str, object]:
    """Have each user ask once."""
    answers = [await ask() for ask in users]
    return {"right": True} if all(answers) else {"cannot": "an answer is wrong"}


CONNECT = {"asyncpg": connect_asyncpg, "aiohttp": connect_aiohttp}


def main(name: str, kind: str, port: int) -> None:
    """Answer until there are no more questions."""
    with contenders.runner(name) as runner:
        users = runner.run(CONNECT[kind](port))
        contenders.tell({"ready": True})
        for line in sys.stdin:
            words = line.split()
            if words[0] == "check":
                contenders.tell(runner.run(check(users)))
            else:
                contenders.tell(runner.run(measure(users, float(words[1]))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
