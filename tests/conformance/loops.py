"""Makes a loop asyncio's default, in the process of a suite that knows only asyncio.

Corrente's loop extends asyncio's selector loop, so that class itself stays what it is; what is
changed is what the default policy makes, and since Python 3.13 the name `asyncio.EventLoop`.
"""

from __future__ import annotations

import asyncio
import importlib
from asyncio import unix_events
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: The loops that suites are run on; the first one is what the other is compared with.
NAMES = ("asyncio", "corrente")


def factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Give what makes the loop of this name."""
    if name == "asyncio":
        return asyncio.SelectorEventLoop
    made: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("corrente").EventLoop
    return made


def make_default(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Have `asyncio.new_event_loop()`, `asyncio.run()` and `asyncio.Runner()` make this loop."""
    make = factory(name)
    changed: Any = unix_events
    # The policies are to go in Python 3.16; until then every way to a new loop leads through here.
    changed._UnixDefaultEventLoopPolicy._loop_factory = make
    if hasattr(asyncio, "EventLoop"):
        public: Any = asyncio
        public.EventLoop = make
    return make
