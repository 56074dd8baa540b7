"""Stalls of the loop that last: they are looked into while they go on, and again and again.

A stall is the subject here, so these tests block the loop, which a program must not.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from loop.running import LIMIT_S
from loop.watching import only, run_task, watched

if TYPE_CHECKING:
    import corrente

__all__ = ["watched"]


class Release:
    """Lets a lock go as soon as the loop is seen to wait for it, or the limit is over."""

    def __init__(self, loop: corrente.EventLoop) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._seen: corrente.Stall | None = None
        self._loop = loop
        self._thread = threading.Thread(target=self._look)

    def acquire(self) -> None:
        """Wait for the lock, which is let go when this is seen."""
        lock = self._lock
        self._thread.start()
        lock.acquire()

    def join(self) -> corrente.Stall:
        """Give what was seen; not for the loop, whose stall would go on here."""
        self._thread.join()
        assert self._seen is not None, self._loop.stalls()
        return self._seen

    def _look(self) -> None:
        until = time.monotonic() + LIMIT_S
        while self._seen is None and time.monotonic() < until:
            # Leaves the GIL to the other thread.
            time.sleep(0.001)
            going_on = (one for one in self._loop.stalls() if not one.is_over)
            self._seen = next((one for one in going_on if self._waits(one)), None)
        self._lock.release()

    @staticmethod
    def _waits(stall: corrente.Stall) -> bool:
        # On a busy machine it may be seen on its way to the lock first.
        return stall.call == "lock.acquire()" and stall.system_call is not None


def test_a_stall_that_does_not_end_is_seen_from_another_thread(
    watched: corrente.EventLoop,
) -> None:
    release = Release(watched)

    async def main() -> None:
        release.acquire()

    run_task(watched, main(), "hangs")
    seen = release.join()
    assert seen.task == "hangs"
    assert seen.duration >= 0.001
    assert seen.system_call == "futex"
    assert str(seen).startswith("stalls for ")
    assert all(stall.is_over for stall in watched.stalls())
    assert only(watched, "hangs").duration >= seen.duration


def test_what_lasts_is_told_and_not_what_a_stall_began_with(watched: corrente.EventLoop) -> None:
    release = Release(watched)

    def computes() -> None:
        # Until the watchdog has seen it, which looks at what goes on for a millisecond.
        until = time.monotonic() + LIMIT_S
        while all(stall.is_over for stall in watched.stalls()) and time.monotonic() < until:
            pass

    async def main() -> None:
        computes()
        release.acquire()

    run_task(watched, main(), "computes and hangs")
    seen = release.join()
    assert seen.task == "computes and hangs"
    told = only(watched, "computes and hangs")
    assert told.call == seen.call == "lock.acquire()"
    assert "computes" not in [frame.name for frame in told.stack]
