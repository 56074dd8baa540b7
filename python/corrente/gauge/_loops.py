"""Event loops: tasks and pooled functions that a request starts count for that request.

Done for the first loop of each thread, from within it, when its first request comes. A further
loop of the thread, and one whose task factory is replaced afterwards, only lose that: their
requests are recorded without the tasks they start.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from corrente.gauge._foreign import Foreign, Function, replace

if TYPE_CHECKING:
    from corrente import Stall
    from corrente._native import Recorder

_pooling: set[type] = set()


def prepare(recorder: Recorder) -> None:
    """Watch the tasks and the executors of the running loop."""
    loop = asyncio.get_running_loop()
    before: Foreign = loop.get_task_factory()

    def factory(loop: Foreign, coroutine: Foreign, **details: Foreign) -> Foreign:
        counted = recorder.child(coroutine)
        if before is None:
            return asyncio.Task(counted, loop=loop, **details)
        return before(loop, counted, **details)

    loop.set_task_factory(factory)
    _watch_executors(type(loop), recorder)
    if hasattr(loop, "_stall_listener"):
        _watch_stalls(loop, recorder)


def _watch_stalls(loop: Foreign, recorder: Recorder) -> None:
    """Hear of the stalls of Corrente's own loop: no other has a watchdog."""

    def note(stall: Stall) -> None:
        # An extension module by its name, without the interpreter's that it was built for.
        package, _, _ = (stall.package or "").partition(".cpython-")
        recorder.stalled(
            stall.place,
            package,
            stall.system_call or "",
            (stall.duration, stall.cpu, stall.queued),
        )

    loop._stall_listener = note


def _watch_executors(kind: type, recorder: Recorder) -> None:
    if kind in _pooling:
        return
    _pooling.add(kind)

    def make(original: Function) -> Function:
        def run_in_executor(
            self: Foreign, executor: Foreign, func: Foreign, *args: Foreign
        ) -> Foreign:
            # Only threads of this process: a function for another process has to be pickled.
            if executor is None or _has_threads(executor):
                func = recorder.pooled(func)
            return original(self, executor, func, *args)

        return run_in_executor

    replace(kind, "run_in_executor", make)


def _has_threads(executor: Foreign) -> bool:
    from concurrent.futures import ProcessPoolExecutor

    return not isinstance(executor, ProcessPoolExecutor)


def watch_anyio(recorder: Recorder, module: Foreign) -> None:
    """Watch AnyIO's worker threads, where Starlette and FastAPI run plain functions."""

    def make(original: Function) -> Function:
        def run_sync(func: Foreign, *args: Foreign, **details: Foreign) -> Foreign:
            return original(recorder.pooled(func), *args, **details)

        return run_sync

    replace(module, "run_sync", make)
