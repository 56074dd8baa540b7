"""Calls to the origin with aiohttp: kept connections, one pool a process, as many as Requests'.

The session belongs to the running loop, so a program opens it once its server has started.
"""

from typing import cast

import aiohttp

from workload import POOL, TIMEOUT_S, call_url


def open_session() -> aiohttp.ClientSession:
    """A session whose connections are kept."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=POOL),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
    )


async def fetch(
    session: aiohttp.ClientSession, latency_ms: float, lanes: int = 0
) -> dict[str, object]:
    """One call and its JSON."""
    async with session.get(call_url(latency_ms, lanes)) as response:
        response.raise_for_status()
        return cast("dict[str, object]", await response.json())
