"""What the clients share: their arguments, the tasks that use them and the result line.

Every client makes the same GETs with the same timeout; imports and its making are not timed.
"""

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable

from stopwatch import Stopwatch

TIMEOUT_S = 30.0


def arguments() -> argparse.Namespace:
    """Numbers may come as `100.0`: the lab's parameters are floats."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--origin", required=True)
    parser.add_argument("--requests", type=float, required=True)
    parser.add_argument("--tasks", type=float, default=1, help="tasks that ask, async clients")
    parser.add_argument("--connections", type=float, default=1, help="limit of the client's pool")
    args = parser.parse_args()
    args.url = f"{args.origin}/anything"
    for name in ("requests", "tasks", "connections"):
        setattr(args, name, int(getattr(args, name)))
    return args


async def run_tasks(args: argparse.Namespace, get: Callable[[], Awaitable[int]]) -> None:
    """Shares the requests among the tasks; `get` makes one and returns its status."""
    statuses: Counter[int] = Counter()
    errors: Counter[str] = Counter()
    todo = iter(range(args.requests))

    async def work() -> None:
        for _ in todo:
            try:
                statuses[await get()] += 1
            except Exception as error:  # each client has its own classes
                errors["timeout" if "imeout" in type(error).__name__ else "connect"] += 1

    stopwatch = Stopwatch()
    async with asyncio.TaskGroup() as group:
        for _ in range(min(args.tasks, args.requests)):
            group.create_task(work())
    report(statuses, errors, stopwatch.stop())


def report(statuses: Counter[int], errors: Counter[str], timed: dict[str, float]) -> None:
    """The lab reads the last line: completed requests, timed seconds, errors by kind."""
    completed = statuses[200]
    if refused := statuses.total() - completed:
        errors["status"] = refused
    print(json.dumps({"operations": completed, **timed, "errors": errors}))
