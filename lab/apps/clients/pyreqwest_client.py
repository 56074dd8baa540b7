"""pyreqwest: Rust's reqwest under asyncio, with as many connections as the case says.

Its own runtime works in a second thread, pinned to the same processor as the program.
"""

import asyncio
import os
import sys
from datetime import timedelta

from pyreqwest.client import ClientBuilder

from clients.work import TIMEOUT_S, arguments, run_tasks


async def main() -> None:
    args = arguments()
    builder = ClientBuilder().max_connections(args.connections).http1_only().no_proxy()
    async with builder.timeout(timedelta(seconds=TIMEOUT_S)).build() as client:

        async def get() -> int:
            response = await client.get(args.url).build().send()
            await response.bytes()
            return response.status

        await run_tasks(args, get)


if __name__ == "__main__":
    asyncio.run(main())
    sys.stdout.flush()
    os._exit(0)  # pyreqwest 0.15.1 may abort in the interpreter's shutdown, after the work
