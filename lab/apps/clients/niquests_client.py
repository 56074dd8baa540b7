"""Niquests: one AsyncSession whose pool keeps as many connections as the case says.

HTTP/1.1 only, as with the other clients.
"""

import asyncio

import niquests

from clients.work import TIMEOUT_S, arguments, run_tasks


async def main() -> None:
    args = arguments()
    async with niquests.AsyncSession(
        pool_connections=1, pool_maxsize=args.connections, disable_http2=True, disable_http3=True
    ) as session:
        session.trust_env = False

        async def get() -> int:
            response = await session.get(args.url, timeout=TIMEOUT_S)
            return response.status_code or 0

        await run_tasks(args, get)


if __name__ == "__main__":
    asyncio.run(main())
