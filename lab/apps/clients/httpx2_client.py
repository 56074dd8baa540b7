"""HTTPX2: one AsyncClient whose pool has as many connections as the case says.

HTTPX2 is the continuation of HTTPX; the program differs from that one in the import alone.
"""

import asyncio

import httpx2

from clients.work import TIMEOUT_S, arguments, run_tasks


async def main() -> None:
    args = arguments()
    limits = httpx2.Limits(
        max_connections=args.connections, max_keepalive_connections=args.connections
    )
    timeout = httpx2.Timeout(TIMEOUT_S, pool=None)
    async with httpx2.AsyncClient(limits=limits, timeout=timeout, trust_env=False) as client:

        async def get() -> int:
            return (await client.get(args.url)).status_code

        await run_tasks(args, get)


if __name__ == "__main__":
    asyncio.run(main())
