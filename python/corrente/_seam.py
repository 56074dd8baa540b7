"""What asyncio's own code finds in a loop of ours: its attributes, and a selector to look at.

Must not know what a loop does. Every name that asyncio or the loop sets on a loop is here.
"""

from __future__ import annotations

import selectors
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corrente._loop import EventLoop

#: All that asyncio and the loop keep in a loop: it has slots for them. As long as its dictionary
#: does not even exist, the interpreter need not look there for each method that is called.
ATTRIBUTES = (
    "_asyncgens",
    "_asyncgens_shutdown_called",
    "_clock_resolution",
    "_coroutine_origin_tracking_enabled",
    "_coroutine_origin_tracking_saved_depth",
    "_csock",
    "_current_handle",
    "_default_executor",
    "_exception_handler",
    "_executor_shutdown_called",
    "_given_sockets",
    "_internal_fds",
    "_is_told_of_stalls",
    "_old_agen_hooks",
    "_ready",
    "_request_of_stall",
    "_scheduled",
    "_selector",
    "_signal_handlers",
    "_socket_files",
    "_ssock",
    "_stall_listener",
    "_stalls",
    "_task_factory",
    "_timer_cancelled_count",
    "_tls",
    "_transports",
    "_unix_server_sockets",
    "_watcher",
    "slow_callback_duration",
)


class Watcher:
    """What asyncio's loop has as its selector, for its code that looks at it."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop

    def get_key(self, fileobj: int) -> selectors.SelectorKey:
        """What a descriptor is watched for."""
        events = self._loop._interest(fileobj)
        if not events:
            raise KeyError(f"{fileobj!r} is not registered")
        return selectors.SelectorKey(fileobj, fileobj, events, None)

    def close(self) -> None:
        self._loop._clear()
