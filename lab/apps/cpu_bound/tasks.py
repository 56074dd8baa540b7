"""The computation in coroutines, gathered a hundred at a time.

Nothing in it waits, so each task runs from its start to its end.
"""

import asyncio
from itertools import islice

from cpu_bound.work import arguments, count_bytes, report, urls
from stopwatch import Stopwatch

TOGETHER = 100


async def count(url: str) -> int:
    return count_bytes(url)


async def main() -> None:
    args = arguments()
    held = b"x" * int(args.held_mib * 1024 * 1024)
    wanted = int(args.urls)
    stopwatch = Stopwatch()
    total = 0
    addresses = urls(wanted)
    while batch := list(islice(addresses, TOGETHER)):
        total += sum(await asyncio.gather(*map(count, batch)))
    timed = stopwatch.stop()
    report(wanted, timed, total)
    del held


if __name__ == "__main__":
    asyncio.run(main())
