"""Corrente takes a Python service from synchronous to asynchronous, and proves what that bought.

The package carries the command `corrente` (also `python -m corrente`) and an event loop for
asyncio: `corrente.run(main())`, or `asyncio.run(main(), loop_factory=corrente.new_event_loop)`.
"""

from corrente._loop import EventLoop, new_event_loop, run
from corrente._native import __version__

__all__ = ["EventLoop", "__version__", "new_event_loop", "run"]
