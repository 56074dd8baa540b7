"""CPython's own tests of asyncio that ask nothing but a loop: where they are and their hooks.

The tests come with the interpreter (`test.test_asyncio`). Their classes are used as they are;
only the method that makes a loop is replaced. Not here: tests of asyncio's own insides, which no
other loop has (`test_base_events`, `test_selector_events`, `test_proactor_events`, most of
`test_unix_events`).
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import unittest
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    Factory = Callable[[], asyncio.AbstractEventLoop]

PACKAGE = "test.test_asyncio"
#: No class of a module by name, but all of them.
EVERY = ("*",)


@dataclass(frozen=True)
class Part:
    """Classes of one module, and how they are given a loop."""

    module: str
    classes: tuple[str, ...]
    #: The method that makes the loop; without one they ask `asyncio.new_event_loop()` or
    #: `asyncio.run()`.
    hook: str = ""
    #: The versions of CPython that have these classes: 3.N.
    since: int = 11
    until: int = 99


PARTS = (
    Part("test_events", ("EPollEventLoopTests",), "create_event_loop"),
    Part("test_events", ("TestCGetEventLoop", "TestServer", "TestAbstractServer")),
    Part("test_sock_lowlevel", ("EPollEventLoopTests",), "create_event_loop"),
    Part("test_sendfile", ("EPollEventLoopTests",), "create_event_loop"),
    Part("test_server", ("SelectorStartServerTests",), "new_loop"),
    Part("test_server", ("TestServer2",), since=12),
    Part("test_server", ("UnixServerCleanupTests",), since=13),
    Part("test_buffered_proto", ("BufferedProtocolSelectorTests",), "new_loop"),
    Part("test_sslproto", ("SelectorStartTLSTests",), "new_loop"),
    Part("test_sslproto", ("SslProtoHandshakeTests",)),
    Part("test_ssl", EVERY),
    Part("test_streams", EVERY),
    Part("test_subprocess", ("SubprocessThreadedWatcherTests", "SubprocessPidfdWatcherTests")),
    Part(
        "test_subprocess",
        ("SubprocessSafeWatcherTests", "SubprocessFastWatcherTests", "GenericWatcherTests"),
        until=13,
    ),
    Part("test_eager_task_factory", EVERY, since=12),
    Part(
        "test_tasks",
        (
            "CTask_CFuture_Tests",
            "CTask_Future_Tests",
            "CCurrentLoopTests",
            "RunCoroutineThreadsafeTests",
            "SleepTests",
        ),
    ),
    Part("test_taskgroups", EVERY),
    Part("test_timeouts", EVERY),
    Part("test_waitfor", EVERY),
    Part("test_queues", EVERY),
    Part("test_locks", EVERY),
    Part("test_runners", EVERY, "new_loop"),
    Part("test_context", EVERY),
    Part("test_threads", EVERY),
    Part("test_pep492", EVERY),
    Part("test_unix_events", ("TestFunctional",)),
    Part("test_unix_events", ("TestFork",), since=12),
    Part("test_free_threading", EVERY, since=14),
)


def is_there() -> bool:
    """Whether this interpreter has its test suite; some systems ship it as another package."""
    try:
        return importlib.util.find_spec(PACKAGE) is not None
    except ModuleNotFoundError:
        return False


def prepare(make: Factory) -> list[str]:
    """Point the classes at the loop, and give the names of their tests."""
    here = sys.version_info.minor
    parts = [part for part in PARTS if part.since <= here <= part.until]
    return [test for part in parts for test in _tests(part, make)]


def _tests(part: Part, make: Factory) -> Iterator[str]:
    name = f"{PACKAGE}.{part.module}"
    module = importlib.import_module(name)
    for case in _classes(module, part):
        if part.hook:
            _hook(case, part, make)
        for method in unittest.defaultTestLoader.getTestCaseNames(case):
            yield f"{name}.{case.__name__}.{method}"


def _classes(module: Any, part: Part) -> list[type[unittest.TestCase]]:  # noqa: ANN401 - a module
    if part.classes != EVERY:
        return [getattr(module, name) for name in part.classes]
    return [
        found
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, unittest.TestCase)
        and found.__module__ == module.__name__
    ]


def _hook(case: Any, part: Part, make: Factory) -> None:  # noqa: ANN401 - a class to change
    made = _watched_runner_loop if part.module == "test_runners" else _new
    setattr(case, part.hook, lambda _case: made(make))


def _new(make: Factory) -> asyncio.AbstractEventLoop:
    return make()


def _watched_runner_loop(make: Factory) -> asyncio.AbstractEventLoop:
    """Make a loop that remembers that generators were ended, as that of CPython's tests does."""
    loop: Any = make()
    loop.shutdown_ag_run = False
    end = loop.shutdown_asyncgens

    async def shutdown_asyncgens() -> None:
        loop.shutdown_ag_run = True
        await end()

    loop.shutdown_asyncgens = shutdown_asyncgens
    made: asyncio.AbstractEventLoop = loop
    return made
