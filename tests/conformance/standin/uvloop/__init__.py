"""Stands in for uvloop while its tests run on another loop: what they import, by that loop.

It is found by PYTHONPATH, so that programs that the tests start have it too. `uvloop._testbase`
is the suite's own, from its source distribution.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__version__ = "0.23.0"
__path__.append(str(Path(os.environ["CONFORMANCE_SOURCE"]) / "uvloop"))
sys.path.append(os.environ["CONFORMANCE_FOLDER"])

import loops  # noqa: E402 - the line above says where it is

#: The class of the loop under test.
Loop = new_event_loop = loops.make_default(os.environ["CONFORMANCE_LOOP"])
EventLoopPolicy = asyncio.DefaultEventLoopPolicy


def install() -> None:
    """Have asyncio make this loop; it does already."""


def run(
    main: Coroutine[Any, Any, Any],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = new_event_loop,
    debug: bool | None = None,
) -> object:
    """Run a coroutine on the loop."""

    async def wrapper() -> object:
        loop: object = asyncio.get_running_loop()
        if type(loop) is not Loop:
            raise TypeError("uvloop.run() uses a non-uvloop event loop")
        return await main

    with asyncio.Runner(loop_factory=loop_factory, debug=debug) as runner:
        return runner.run(wrapper())
