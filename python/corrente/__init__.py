"""Corrente takes a Python service from synchronous to asynchronous, and proves what that bought.

The package carries the command `corrente` (also `python -m corrente`) and an event loop for
asyncio: `corrente.run(main())`, or `asyncio.run(main(), loop_factory=corrente.new_event_loop)`; and
a server on it: `corrente.serve(application)`.
The loop, and asyncio with it, is loaded when it is first asked for: the command and the gauge do
without.
"""

import typing as _typing

from corrente._native import __version__

if _typing.TYPE_CHECKING:
    from corrente._loop import EventLoop, install, new_event_loop, run, watch
    from corrente._policy import EventLoopPolicy
    from corrente._serve import serve
    from corrente._watch import Histogram, Metrics, Stall

__all__ = [
    "EventLoop",
    "EventLoopPolicy",
    "Histogram",
    "Metrics",
    "Stall",
    "__version__",
    "install",
    "new_event_loop",
    "run",
    "serve",
    "watch",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "EventLoopPolicy":
        # By itself: asyncio warns who asks for policies.
        from corrente._policy import EventLoopPolicy

        globals()[name] = EventLoopPolicy
        return EventLoopPolicy
    from corrente import _loop, _serve, _watch

    for module in (_watch, _loop, _serve):
        found = {known: getattr(module, known) for known in __all__ if hasattr(module, known)}
        globals().update(found)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted(__all__)
