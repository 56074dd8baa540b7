"""aiohttp: one ClientSession whose pool has as many connections as the case says.

The timeout does not count the wait for a connection, as with the other clients.
"""

import asyncio
import os

import aiohttp

from clients.work import TIMEOUT_S, arguments, run_tasks
from event_loop import loop_factory


async def main() -> None:
    args = arguments()
    connector = aiohttp.TCPConnector(limit=args.connections)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT_S, sock_read=TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def get() -> int:
            async with session.get(args.url) as response:
                await response.read()
                return response.status

        await run_tasks(args, get)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory(os.environ.get("EVENT_LOOP", ""))) as runner:
        runner.run(main())
