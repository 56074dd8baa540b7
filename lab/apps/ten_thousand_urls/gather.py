"""Downloads the URLs with asyncio.gather: aiohttp, one ClientSession with a limit of connections.

All tasks start at once; those beyond the limit wait for a free connection, as in the source.
"""

import asyncio
import os
from collections import Counter

import aiohttp

from event_loop import loop_factory
from stopwatch import Stopwatch
from ten_thousand_urls.report import TIMEOUT_S, arguments, raise_file_limit, report, urls


async def download(session: aiohttp.ClientSession, url: str) -> int | str:
    """The size of the answer, or the kind of error."""
    try:
        async with session.get(url) as response:
            return len(await response.read()) if response.ok else "status"
    except TimeoutError:
        return "timeout"
    except aiohttp.ClientError:
        return "connect"


async def main() -> None:
    args = arguments("limit")
    raise_file_limit()
    addresses = urls(args)
    stopwatch = Stopwatch()
    connector = aiohttp.TCPConnector(limit=int(args.limit))
    # Like Requests' timeout: on connecting and reading, not on the wait for a connection.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT_S, sock_read=TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        results = await asyncio.gather(*(download(session, url) for url in addresses))
        timed = stopwatch.stop()
    sizes = [result for result in results if isinstance(result, int)]
    errors = Counter(result for result in results if isinstance(result, str))
    report(sizes, timed, errors)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory(os.environ.get("EVENT_LOOP", ""))) as runner:
        runner.run(main())
