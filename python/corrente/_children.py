"""Child processes, where CPython 3.12 and 3.13 filter warnings for each: they ask for a watcher.

Asking is deprecated there, so asyncio switches all warnings' memory off and on again. Here nobody
asks for a watcher that is asyncio's own and waits by pidfds. Must not know what runs. A watcher
that somebody has set is asyncio's business.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import unix_events
from typing import Any, TypeAlias

#: What asyncio has no type for: its private classes, arguments of `subprocess.Popen`.
Foreign: TypeAlias = Any

_ARE_ASKED_FOR = (3, 12) <= sys.version_info < (3, 14)

_private: Foreign = unix_events


def watcher() -> Foreign:
    """What asyncio would be given, where that waits by pidfds; `None` where it is something else.

    Nor is there one before the first child: then asyncio makes it.
    """
    if not _ARE_ASKED_FOR:
        return None
    policy: Foreign = asyncio.get_event_loop_policy()
    asks = getattr(type(policy), "get_child_watcher", None)
    if asks is not _private._UnixDefaultEventLoopPolicy.get_child_watcher:
        return None
    known = policy._watcher
    return known if type(known) is _private.PidfdChildWatcher else None


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
