"""Scheduling and short waits: how long so many operations take, within this process.

    python scheduling.py LOOP

Each line of standard input is a question, each answer a line of JSON. `check ROW` asks whether the
loop does right what the row repeats; `measure ROW SECONDS` repeats it for about so long and tells
how many operations took how many seconds. What is not the operation itself (making sockets, waiting
for a timer to be due) is left out of the time. With `floor` as the loop, the same callbacks and
coroutines are run by loops in C of the interpreter's own, without any event loop: `floors`.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import shutil
import socket
import sys
import threading
import time
from itertools import repeat
from time import perf_counter
from typing import TYPE_CHECKING, Any

import contenders
import floors
from floors import BATCH, BURST, CHILDREN, TRUE, WAITS, no_steps, nothing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: Connections that are watched and silent.
IDLE = 250

#: Due timers are scheduled so long ahead, so that none is due before the last is scheduled, and
#: looked for so long after, so that a clock of milliseconds sees them all.
AHEAD_S = 0.1
AFTER_S = 0.004
#: What is left out of the time may take so many times as long as what is not.
WALL = 3
#: Where in a test of contexts a callback was scheduled.
PLACE: contextvars.ContextVar[int] = contextvars.ContextVar("PLACE")


async def burst(schedule: Callable[..., object]) -> tuple[int, float]:
    """Schedule many callbacks, then let them all run."""
    done = asyncio.get_running_loop().create_future()
    begin = perf_counter()
    for _ in repeat(None, BURST - 1):
        schedule(nothing)
    schedule(done.set_result, None)
    await done
    return BURST, perf_counter() - begin


async def call_soon() -> tuple[int, float]:
    """`call_soon`, a burst of it."""
    return await burst(asyncio.get_running_loop().call_soon)


async def threadsafe() -> tuple[int, float]:
    """`call_soon_threadsafe`, a burst of it from the loop's own thread."""
    return await burst(asyncio.get_running_loop().call_soon_threadsafe)


async def chain() -> tuple[int, float]:
    """One callback that schedules itself: every link is a turn of the loop."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    left = BATCH

    def link() -> None:
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(link)
        else:
            done.set_result(None)

    begin = perf_counter()
    loop.call_soon(link)
    await done
    return BATCH, perf_counter() - begin


async def chain_idle() -> tuple[int, float]:
    """Run the same while silent connections are watched."""
    loop = asyncio.get_running_loop()
    pairs = [socket.socketpair() for _ in range(IDLE)]
    for ours, _ in pairs:
        ours.setblocking(False)
        loop.add_reader(ours.fileno(), nothing)
    try:
        return await chain()
    finally:
        for ours, theirs in pairs:
            loop.remove_reader(ours.fileno())
            ours.close()
            theirs.close()


async def timer_cancel() -> tuple[int, float]:
    """`call_later` and `cancel`, and what the loop does to be rid of them."""
    call_later = asyncio.get_running_loop().call_later
    begin = perf_counter()
    for _ in repeat(None, BATCH):
        call_later(60, nothing).cancel()
    await asyncio.sleep(0)
    return BATCH, perf_counter() - begin


async def due_timers() -> tuple[int, float]:
    """Many timers that become due together: scheduling them, and running them."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    begin = perf_counter()
    when = loop.time() + AHEAD_S
    for _ in repeat(None, BATCH - 1):
        loop.call_at(when, nothing)
    loop.call_at(when + 0.001, done.set_result, None)
    scheduled = perf_counter() - begin
    time.sleep(max(0.0, AHEAD_S + 0.001 + AFTER_S - scheduled))  # noqa: ASYNC251
    begin = perf_counter()
    await done
    return BATCH, scheduled + perf_counter() - begin


async def sleep_zero() -> tuple[int, float]:
    """`sleep(0)`: a step of a task, and a turn of the loop."""
    begin = perf_counter()
    for _ in repeat(None, BATCH):
        await asyncio.sleep(0)
    return BATCH, perf_counter() - begin


async def create_task() -> tuple[int, float]:
    """`create_task` and waiting for it."""
    create = asyncio.get_running_loop().create_task
    begin = perf_counter()
    for _ in repeat(None, BATCH):
        await create(no_steps())
    return BATCH, perf_counter() - begin


async def executor() -> tuple[int, float]:
    """`run_in_executor`, there and back."""
    run = asyncio.get_running_loop().run_in_executor
    begin = perf_counter()
    for _ in repeat(None, WAITS):
        await run(None, nothing)
    return WAITS, perf_counter() - begin


async def getaddrinfo() -> tuple[int, float]:
    """`getaddrinfo` of an address that needs no look-up."""
    resolve = asyncio.get_running_loop().getaddrinfo
    begin = perf_counter()
    for _ in repeat(None, WAITS):
        await resolve("127.0.0.1", 80, type=socket.SOCK_STREAM)
    return WAITS, perf_counter() - begin


async def subprocess() -> tuple[int, float]:
    """Start a program that ends at once, and wait for it."""
    begin = perf_counter()
    for _ in repeat(None, CHILDREN):
        child = await asyncio.create_subprocess_exec(TRUE)
        await child.wait()
    return CHILDREN, perf_counter() - begin


async def in_order(schedule: Callable[..., object]) -> bool:
    """Whether callbacks run once each, in the order of the calls, and not at once."""
    seen: list[int] = []
    done = asyncio.get_running_loop().create_future()
    for number in range(1000):
        schedule(seen.append, number)
    schedule(done.set_result, None)
    at_once = len(seen)
    await done
    return at_once == 0 and seen == list(range(1000))


async def in_context(schedule: Callable[..., object]) -> bool:
    """Whether a callback runs in a copy of the context in which it was scheduled (PEP 567)."""
    seen: list[int] = []
    done = asyncio.get_running_loop().create_future()

    def look() -> None:
        seen.append(PLACE.get())
        PLACE.set(-1)

    for number in range(3):
        PLACE.set(number)
        schedule(look)
    schedule(done.set_result, None)
    await done
    return seen == [0, 1, 2] and PLACE.get() == 2


async def call_soon_is_right() -> bool:
    """Whether `call_soon` keeps the order and the context."""
    schedule = asyncio.get_running_loop().call_soon
    return await in_order(schedule) and await in_context(schedule)


async def threadsafe_is_right() -> bool:
    """Whether `call_soon_threadsafe` keeps the order and the context."""
    schedule = asyncio.get_running_loop().call_soon_threadsafe
    return await in_order(schedule) and await in_context(schedule)


async def chain_is_right() -> bool:
    """Whether other callbacks get their turn between the links of a chain."""
    loop = asyncio.get_running_loop()
    seen: list[str] = []
    done = loop.create_future()

    def link(name: str, left: int) -> None:
        seen.append(name)
        if left:
            loop.call_soon(link, name, left - 1)
        elif len(seen) == 20:
            done.set_result(None)

    loop.call_soon(link, "a", 9)
    loop.call_soon(link, "b", 9)
    await done
    return seen == ["a", "b"] * 10


async def timers_are_right() -> bool:
    """Whether timers run about when due and in their order, and cancelled ones not at all.

    By the loop's own clock, which is behind where the machine was busy; that of uvloop is of
    milliseconds, and its timers are up to one early.
    """
    loop = asyncio.get_running_loop()
    seen: list[int] = []
    done = loop.create_future()
    when = loop.time() + 0.02
    for number in reversed(range(50)):
        loop.call_at(when + number * 0.002, seen.append, number)
        loop.call_at(when + number * 0.002, seen.append, -1).cancel()
    loop.call_at(when + 0.11, done.set_result, None)
    await done
    return seen == list(range(50)) and loop.time() - when >= 0.108


async def tasks_are_right() -> bool:
    """Whether tasks take turns at `sleep(0)` and give back what they return."""
    seen: list[str] = []

    async def steps(name: str) -> str:
        for _ in range(3):
            seen.append(name)
            await asyncio.sleep(0)
        return name

    create = asyncio.get_running_loop().create_task
    tasks = [create(steps(name)) for name in "ab"]
    results = [await task for task in tasks]
    return seen == ["a", "b"] * 3 and results == ["a", "b"]


async def executor_is_right() -> bool:
    """Whether the function runs in another thread and its result comes back."""
    run = asyncio.get_running_loop().run_in_executor
    return await run(None, threading.get_ident) != threading.get_ident()


async def getaddrinfo_is_right() -> bool:
    """Whether the answer is that of the C library."""
    resolve = asyncio.get_running_loop().getaddrinfo
    answer = await resolve("127.0.0.1", 80, type=socket.SOCK_STREAM)
    right = socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
    return [one[4] for one in answer] == [one[4] for one in right]


async def subprocess_is_right() -> bool:
    """Whether the exit code comes back."""
    child = await asyncio.create_subprocess_exec(shutil.which("false") or "/bin/false")
    return await child.wait() == 1


#: What is measured, and what is checked before.
Batch = tuple[int, float]
ROWS: dict[str, tuple[Callable[[], Awaitable[Batch]], Callable[[], Awaitable[bool]]]] = {
    "call-soon": (call_soon, call_soon_is_right),
    "chain": (chain, chain_is_right),
    "chain-idle": (chain_idle, chain_is_right),
    "timer-cancel": (timer_cancel, timers_are_right),
    "due-timers": (due_timers, timers_are_right),
    "sleep-0": (sleep_zero, tasks_are_right),
    "create-task": (create_task, tasks_are_right),
    "threadsafe": (threadsafe, threadsafe_is_right),
    "executor": (executor, executor_is_right),
    "getaddrinfo": (getaddrinfo, getaddrinfo_is_right),
    "subprocess": (subprocess, subprocess_is_right),
}


def measure(batch: Callable[[], Batch], seconds: float) -> dict[str, object]:
    """Repeat a batch for about so long, what is not timed included for some times as long."""
    gc.collect()
    begin = perf_counter()
    operations, taken = batch()
    while taken < seconds and perf_counter() - begin < WALL * seconds:
        more, longer = batch()
        operations, taken = operations + more, taken + longer
    return {"operations": operations, "seconds": taken}


def answer(words: list[str], run: Callable[[Any], Any]) -> dict[str, object]:
    """Answer a question about a loop."""
    repeated, check = ROWS[words[1]]
    try:
        if words[0] == "measure":
            return measure(lambda: run(repeated()), float(words[2]))
        if not run(check()):
            return {"cannot": "does it wrongly"}
        # The first batch is slower: code that is not warm, threads that do not exist.
        run(repeated())
    except Exception as error:
        return {"cannot": f"{type(error).__name__}: {error}"}
    return {"right": True}


def answer_floor(words: list[str]) -> dict[str, object]:
    """Answer a question about the interpreter alone."""
    batch = floors.ROWS.get(words[1])
    if batch is None:
        return {"cannot": "there is nothing to call without a loop"}
    return measure(batch, float(words[2])) if words[0] == "measure" else {"right": True}


def main(name: str) -> None:
    """Answer until there are no more questions."""
    questions = (line.split() for line in sys.stdin)
    if name == "floor":
        for words in questions:
            contenders.tell(answer_floor(words))
        return
    with contenders.runner(name) as runner:
        for words in questions:
            contenders.tell(answer(words, runner.run))


if __name__ == "__main__":
    main(sys.argv[1])
