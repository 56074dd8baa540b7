"""What newer versions of asyncio's loop take, for Python 3.11: `all_errors`, a `timeout`.

From Python 3.12 on asyncio's own methods do it, and nothing here is used. Must not know which loop
it is for.
"""

from __future__ import annotations

import asyncio
import threading
import warnings
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Coroutine

#: What asyncio has no type for: its private methods.
Foreign: TypeAlias = Any


class Attempts:
    """What became of the addresses that one `create_connection` has tried."""

    def __init__(self) -> None:
        #: Of each address the errors that it led to; asyncio's own list, which it goes on filling.
        self.failures: list[list[OSError]] = []
        self.has_connected = False


_attempts: ContextVar[Attempts | None] = ContextVar("attempts", default=None)


async def tried(connect: Coroutine[Any, Any, Foreign], failures: list[list[OSError]]) -> Foreign:
    """Connects to one address, and notes how that ends for who wants all errors."""
    attempts = _attempts.get()
    if attempts is not None:
        attempts.failures = failures
    connected = await connect
    if attempts is not None:
        attempts.has_connected = True
    return connected


async def with_all_errors(connect: Coroutine[Any, Any, Foreign]) -> Foreign:
    """Runs `create_connection`; if no address can be reached, the error holds those of all."""
    attempts = Attempts()
    token = _attempts.set(attempts)
    try:
        return await connect
    except OSError:
        failures = [error for errors in attempts.failures for error in errors]
        if attempts.has_connected or not failures:
            raise
    finally:
        _attempts.reset(token)
    raise ExceptionGroup("create_connection failed", failures)


async def end_executor(loop: Foreign, limit_s: float) -> None:
    """Ends the loop's executor; its threads have so many seconds, and are left alone then."""
    loop._executor_shutdown_called = True
    executor = loop._default_executor
    if executor is None:
        return
    ended = loop.create_future()
    thread = threading.Thread(target=loop._do_shutdown, args=(ended,))
    thread.start()
    done, _ = await asyncio.wait([ended], timeout=limit_s)
    if done:
        thread.join()
        ended.result()
        return
    warnings.warn(
        f"The executor did not finishing joining its threads within {limit_s} seconds.",
        RuntimeWarning,
        stacklevel=3,
    )
    executor.shutdown(wait=False)
