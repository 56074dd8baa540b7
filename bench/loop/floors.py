"""What the rows of `scheduling` cost without an event loop: the interpreter's floor.

The same callbacks and coroutines, called from loops in C that the interpreter brings along:
`deque(map(call, queue), maxlen=0)` calls what is in `queue`, one after another, and no line of
Python runs in between. Scheduling is the cheapest call of a C method that takes a callback:
`list.append`. No event loop does less, and one that lets a callback be cancelled, or gives it its
context, does more.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from operator import call
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Callbacks of a burst; tasks, timers and turns of one batch.
BURST = 100_000
BATCH = 10_000
#: Operations of a batch that wait for a thread or for the kernel.
WAITS = 500
CHILDREN = 10
TRUE = shutil.which("true") or "/bin/true"


def nothing() -> None:
    """Do nothing: the callback of every row that needs one."""


async def no_steps() -> None:
    """End at once: the coroutine of every row that needs one."""


async def sleeps() -> None:
    """Sleep for no time, over and over."""
    for _ in repeat(None, BATCH):
        await asyncio.sleep(0)


def burst() -> tuple[int, float]:
    """Append callbacks to a list, then call them."""
    queue: list[Callable[[], None]] = []
    schedule = queue.append
    begin = perf_counter()
    for _ in repeat(None, BURST):
        schedule(nothing)
    deque(map(call, queue), maxlen=0)
    return BURST, perf_counter() - begin


def chain() -> tuple[int, float]:
    """Call a callback that appends itself to the list that is being run."""
    queue: list[Callable[[], None]] = []
    left = BATCH

    def link() -> None:
        nonlocal left
        left -= 1
        if left:
            queue.append(link)

    begin = perf_counter()
    queue.append(link)
    deque(map(call, queue), maxlen=0)
    return BATCH, perf_counter() - begin


def timer_cancel() -> tuple[int, float]:
    """Two calls of C methods in a row."""
    queue: list[Callable[[], None]] = []
    schedule, cancel = queue.append, queue.pop
    begin = perf_counter()
    for _ in repeat(None, BATCH):
        schedule(nothing)
        cancel()
    return BATCH, perf_counter() - begin


def sleep_zero() -> tuple[int, float]:
    """Resume a coroutine from C each time that it sleeps."""
    begin = perf_counter()
    deque(sleeps().__await__(), maxlen=0)
    return BATCH, perf_counter() - begin


def create_task() -> tuple[int, float]:
    """Run a coroutine to its end without a task."""
    begin = perf_counter()
    for _ in repeat(None, BATCH):
        next(no_steps().__await__(), None)
    return BATCH, perf_counter() - begin


def executor() -> tuple[int, float]:
    """Have a thread call a function, and block until it has."""
    with ThreadPoolExecutor() as pool:
        pool.submit(nothing).result()
        begin = perf_counter()
        for _ in repeat(None, WAITS):
            pool.submit(nothing).result()
        return WAITS, perf_counter() - begin


def subprocess() -> tuple[int, float]:
    """Start a program and block until it has ended."""
    begin = perf_counter()
    for _ in repeat(None, CHILDREN):
        os.waitpid(os.posix_spawn(TRUE, [TRUE], os.environ), 0)
    return CHILDREN, perf_counter() - begin


ROWS: dict[str, Callable[[], tuple[int, float]]] = {
    "call-soon": burst,
    "chain": chain,
    "chain-idle": chain,
    "timer-cancel": timer_cancel,
    "due-timers": burst,
    "sleep-0": sleep_zero,
    "create-task": create_task,
    "threadsafe": burst,
    "executor": executor,
    "subprocess": subprocess,
}
