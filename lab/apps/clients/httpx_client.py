"""HTTPX: one AsyncClient whose pool has as many connections as the case says.

The timeout does not count the wait for a connection, as with the other clients.
"""

import asyncio

import httpx

from clients.work import TIMEOUT_S, arguments, run_tasks


async def main() -> None:
    args = arguments()
    limits = httpx.Limits(
        max_connections=args.connections, max_keepalive_connections=args.connections
    )
    timeout = httpx.Timeout(TIMEOUT_S, pool=None)
    async with httpx.AsyncClient(limits=limits, timeout=timeout, trust_env=False) as client:

        async def get() -> int:
            return (await client.get(args.url)).status_code

        await run_tasks(args, get)


if __name__ == "__main__":
    asyncio.run(main())
