"""The event loops that programs are run on, by name: only the loop differs."""

import asyncio
from collections.abc import Callable


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """The loop's own constructor; imported here, so that only the one in use is loaded."""
    if name == "corrente":
        import corrente

        return corrente.new_event_loop
    if name == "uvloop":
        import uvloop

        return uvloop.Loop
    if name == "rloop":
        import rloop

        factory: Callable[[], asyncio.AbstractEventLoop] = rloop.new_event_loop
        return factory
    return asyncio.new_event_loop
