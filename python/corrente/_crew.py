"""The threads of one worker's process, each with a loop of its own: one worker to the parent.

Where workers are processes there is one thread, the main one. What is here may be called from any
thread. How a thread serves is not known here.
"""

from __future__ import annotations

import asyncio
import sys
import sysconfig
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from corrente import _native


def lock() -> str | None:
    """Tell why threads would take turns here; `None` where they run beside each other."""
    is_enabled = getattr(sys, "_is_gil_enabled", None)
    if is_enabled is None or not sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "a GIL"
    if is_enabled():
        return "its GIL switched on (PYTHON_GIL=1, -X gil=1, or an extension module that needs it)"
    return None


class Crew:
    """What the threads of a worker have to say to its parent, and are told together."""

    def __init__(self, worker: _native.Worker, size: int) -> None:
        self._worker = worker
        self._size = size
        self._lock = threading.Lock()
        self._servers: list[_native.HttpServer] = []
        self._alive: set[object] = set()
        self._stops: list[tuple[asyncio.AbstractEventLoop, Callable[[], None]]] = []
        self._is_stopped = False
        self._failures: list[BaseException] = []

    def ready(self, server: _native.HttpServer) -> None:
        """Say so to the parent once all take requests."""
        with self._lock:
            self._servers.append(server)
            are_all = len(self._servers) == self._size
        if are_all:
            self._worker.say("ready")

    def alive(self, one: object) -> None:
        """Say so to the parent whenever the loops of all have turned."""
        with self._lock:
            self._alive.add(one)
            are_all = len(self._alive) == self._size
            if are_all:
                self._alive.clear()
        if are_all:
            self._worker.say("alive")

    @property
    def requests(self) -> int:
        """What all have answered."""
        return sum(server.requests for server in self._servers)

    def stoppable(self, stop: Callable[[], None]) -> None:
        """Take what stops the server of the running loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._stops.append((loop, stop))
            is_late = self._is_stopped
        if is_late:
            stop()

    def stop(self) -> None:
        """Stop all, once: who is in a hurry tells the parent, which kills.

        What signals a group of processes (systemd by default, dumb-init, `kill -- -GROUP`) reaches
        workers, and so does the parent's own word: the second one is no other wish.
        """
        with self._lock:
            stops = [] if self._is_stopped else list(self._stops)
            self._is_stopped = True
        for loop, stop in stops:
            try:
                loop.call_soon_threadsafe(stop)
            except RuntimeError:
                # Its loop is closed: it has ended already.
                continue

    async def run(
        self,
        first: Coroutine[Any, Any, None],
        others: list[Coroutine[Any, Any, None]],
        new_loop: Callable[[], asyncio.AbstractEventLoop],
    ) -> None:
        """Run the first here and the others in threads, until all have ended.

        Raises:
            BaseException: what the first of them that failed has raised; the others were stopped.
        """
        threads = [
            threading.Thread(target=self._run, args=(one, new_loop), name=f"worker {number}")
            for number, one in enumerate(others, 2)
        ]
        for thread in threads:
            thread.start()
        try:
            await first
        except BaseException as failure:
            self._failed(failure)
        for thread in threads:
            # Not in the loop's thread: a second signal has to be heard meanwhile.
            await asyncio.to_thread(thread.join)
        if self._failures:
            raise self._failures[0]

    def _run(
        self, work: Coroutine[Any, Any, None], new_loop: Callable[[], asyncio.AbstractEventLoop]
    ) -> None:
        try:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(work)
        except BaseException as failure:
            self._failed(failure)

    def _failed(self, failure: BaseException) -> None:
        self._failures.append(failure)
        self.stop()
