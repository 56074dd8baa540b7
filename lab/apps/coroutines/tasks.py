"""Many asyncio tasks that wait: memory and start time of one, and the time of a switch.

A switch is half of a message passed to a second task and back, while the others go on waiting.
"""

import asyncio
import time

from coroutines.probe import arguments, kernel_stack_bytes, pss_bytes, report
from stopwatch import Stopwatch


async def wait(arrived: list[None], release: asyncio.Event) -> None:
    """Says that it runs, then waits for the end."""
    arrived.append(None)
    await release.wait()


async def start(count: int, release: asyncio.Event) -> list[asyncio.Task[None]]:
    """Returns when every task has run up to its wait."""
    arrived: list[None] = []
    tasks = [asyncio.create_task(wait(arrived, release)) for _ in range(count)]
    while len(arrived) < len(tasks):
        await asyncio.sleep(0)
    return tasks


async def echo(inbox: asyncio.Queue[int], outbox: asyncio.Queue[int]) -> None:
    while (message := await inbox.get()) >= 0:
        outbox.put_nowait(message)


async def switch_s(passes: int) -> float:
    inbox: asyncio.Queue[int] = asyncio.Queue()
    outbox: asyncio.Queue[int] = asyncio.Queue()
    partner = asyncio.create_task(echo(inbox, outbox))
    begin = time.perf_counter()
    for message in range(passes):
        inbox.put_nowait(message)
        await outbox.get()
    elapsed = time.perf_counter() - begin
    inbox.put_nowait(-1)
    await partner
    return elapsed / (2 * passes)


async def main() -> None:
    args = arguments()
    count, release = int(args.units), asyncio.Event()
    first = await start(1, release)  # what the first task loads does not count
    memory, kernel = pss_bytes(), kernel_stack_bytes()
    stopwatch = Stopwatch()
    tasks = await start(count, release)
    timed = stopwatch.stop()
    memory, kernel = pss_bytes() - memory, kernel_stack_bytes() - kernel
    switch = await switch_s(int(args.passes))
    release.set()
    await asyncio.gather(*first, *tasks)
    report(
        started=count,
        wanted=count,
        timed=timed,
        memory=memory,
        kernel=kernel,
        switch_s=switch,
    )


if __name__ == "__main__":
    asyncio.run(main())
