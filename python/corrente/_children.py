"""Child processes, where CPython asks its policy for a watcher: up to 3.13.

3.12 and 3.13 warn who asks, so asyncio switches all warnings' memory off and on again for each
child; here nobody asks for a watcher that is asyncio's own and waits by pidfds. 3.11 has a thread
for each child; here it is a pidfd as in newer ones. Must not know what runs. A watcher that
somebody has set is asyncio's business.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio import unix_events
from asyncio.log import logger
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

#: What asyncio has no type for: its private classes, arguments of `subprocess.Popen`.
Foreign: TypeAlias = Any

_ARE_ASKED_FOR = sys.version_info < (3, 14)
_HAVE_THREADS = sys.version_info < (3, 12)

_private: Foreign = unix_events


def watcher() -> Foreign:
    """What asyncio would be given, where that waits by pidfds; `None` where it is something else.

    From 3.12 on there is none before the first child: then asyncio makes it.
    """
    if not _ARE_ASKED_FOR:
        return None
    policy: Foreign = asyncio.get_event_loop_policy()
    asks = getattr(type(policy), "get_child_watcher", None)
    if asks is not _private._UnixDefaultEventLoopPolicy.get_child_watcher:
        return None
    known = policy._watcher
    if _HAVE_THREADS:
        return PidfdWatcher() if known is None and _have_pidfds() else None
    return known if type(known) is _private.PidfdChildWatcher else None


class PidfdWatcher:
    """Waits for children by pidfds, each in the loop that has started it."""

    def add_child_handler(
        self, pid: int, callback: Callable[..., object], transport: Foreign
    ) -> None:
        """Has the callback called with the child's number, its exit code and its transport."""
        loop: Foreign = asyncio.get_running_loop()
        pidfd = os.pidfd_open(pid)

        def ended() -> None:
            loop._remove_reader(pidfd)
            os.close(pidfd)
            callback(pid, _exit_code(pid), transport)

        loop._add_reader(pidfd, ended)


def _exit_code(pid: int) -> int:
    try:
        _, status = os.waitpid(pid, 0)
    except ChildProcessError:
        # As asyncio says it in newer versions.
        logger.warning(
            "child process pid %d exit status already read:  will report returncode 255", pid
        )
        return 255
    return os.waitstatus_to_exitcode(status)


def _have_pidfds() -> bool:
    """Whether the kernel gives them; a sandbox may not."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


async def started(loop: Foreign, watcher: Foreign, *how: Foreign, **more: Foreign) -> Foreign:
    """Starts a program; gives its transport when its pipes are connected."""
    connected = loop.create_future()
    child = _private._UnixSubprocessTransport(loop, *how, waiter=connected, **more)
    watcher.add_child_handler(child.get_pid(), loop._child_watcher_callback, child)
    try:
        await connected
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException:
        # Nobody gets it, so nobody else ends it.
        child.close()
        await child._wait()
        raise
    return child
