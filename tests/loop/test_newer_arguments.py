"""What newer versions of asyncio take, older ones take on Corrente's loop, too."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import ssl
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import corrente
from loop.running import LIMIT_S, Recorder, is_asyncio, run

if TYPE_CHECKING:
    from collections.abc import Iterator

Loop = asyncio.AbstractEventLoop


def skip_before(loop: Loop, version: tuple[int, int]) -> None:
    """Leave asyncio out where it is older."""
    if is_asyncio(loop) and sys.version_info < version:
        pytest.skip("asyncio takes it from a newer version on")


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Give a port at which nobody listens, and which nobody else gets."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize("delay", [None, 0.05])
def test_all_errors_of_a_connection_are_told_together(
    loop: Loop, closed_port: int, delay: float | None
) -> None:
    skip_before(loop, (3, 12))
    connect: Any = loop.create_connection
    how = {"all_errors": True, "happy_eyeballs_delay": delay}
    with pytest.raises(ExceptionGroup, match="create_connection failed") as told:
        run(loop, connect(Recorder, "127.0.0.1", closed_port, **how))
    assert [type(error) for error in told.value.exceptions] == [ConnectionRefusedError]


def test_an_error_of_no_address_is_told_by_itself(loop: Loop, closed_port: int) -> None:
    skip_before(loop, (3, 12))
    connect: Any = loop.create_connection
    with pytest.raises(ConnectionRefusedError):
        run(loop, connect(Recorder, "127.0.0.1", closed_port, all_errors=False))
    flags = socket.AI_NUMERICHOST
    with pytest.raises(socket.gaierror):
        run(loop, connect(Recorder, "no number", closed_port, flags=flags, all_errors=True))


class Closing(Recorder):
    """Ends each connection at once."""

    def connection_made(self, transport: Any) -> None:
        """Close it."""
        transport.close()


def test_a_connection_that_was_made_tells_its_own_error(loop: Loop) -> None:
    async def main() -> None:
        server = await loop.create_server(Closing, "127.0.0.1", 0)
        connect: Any = loop.create_connection
        how = {"all_errors": True, "ssl": ssl.create_default_context()}
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await connect(Recorder, *server.sockets[0].getsockname(), **how)
        server.close()

    skip_before(loop, (3, 12))
    run(loop, main())


@pytest.mark.skipif((3, 12) <= sys.version_info < (3, 13), reason="3.12 waits without a limit")
def test_an_executor_may_be_given_up(loop: Loop) -> None:
    async def main() -> None:
        end: Any = loop.shutdown_default_executor
        working = loop.run_in_executor(None, ends.wait)
        with pytest.warns(RuntimeWarning, match=r"within 0\.01 seconds"):
            await end(0.01)
        ends.set()
        assert await working

    skip_before(loop, (3, 12))
    ends = threading.Event()
    run(loop, main())


def test_an_executor_that_ends_in_time_is_waited_for(loop: Loop) -> None:
    async def main() -> None:
        end: Any = loop.shutdown_default_executor
        before = threading.active_count()
        await loop.run_in_executor(None, len, "")
        await end(timeout=LIMIT_S)
        assert threading.active_count() == before
        with pytest.raises(RuntimeError, match="shutdown"):
            loop.run_in_executor(None, len, "")

    skip_before(loop, (3, 12))
    run(loop, main())


@pytest.fixture
def no_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no watcher of children, as a program has none: asyncio's own loop has made one here."""
    if sys.version_info < (3, 12):
        monkeypatch.setattr(asyncio.get_event_loop_policy(), "_watcher", None)


@pytest.mark.usefixtures("no_watcher")
def test_a_program_that_runs_needs_no_thread(loop: Loop) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_exec("sleep", "60")
        assert threading.active_count() == before
        process.kill()
        assert await process.wait() == -signal.SIGKILL

    skip_before(loop, (3, 12))
    before = threading.active_count()
    run(loop, main())


@pytest.mark.usefixtures("no_watcher")
def test_a_program_whose_end_somebody_else_has_seen_ends_all_the_same(loop: Loop) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_exec("sleep", "0.1")
        # The loop must not look before: both wait for the same end.
        os.waitpid(process.pid, 0)  # noqa: ASYNC222
        assert await process.wait() == 255

    skip_before(loop, (3, 12))
    run(loop, main())


@pytest.mark.skipif(sys.version_info >= (3, 16), reason="there are no policies any more")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_policy_makes_the_loop() -> None:
    assert issubclass(corrente.EventLoopPolicy, asyncio.AbstractEventLoopPolicy)
    before = asyncio.get_event_loop_policy()
    try:
        for install in (
            corrente.install,
            lambda: asyncio.set_event_loop_policy(corrente.EventLoopPolicy()),
        ):
            install()
            loop = asyncio.new_event_loop()
            assert isinstance(loop, corrente.EventLoop)
            loop.close()
            assert isinstance(asyncio.get_event_loop_policy(), corrente.EventLoopPolicy)
            asyncio.set_event_loop_policy(before)
    finally:
        asyncio.set_event_loop_policy(before)


@pytest.mark.skipif(sys.version_info < (3, 13, 2), reason="asyncio itself keeps it until then")
def test_an_eager_task_that_fails_at_once_is_not_kept_by_its_error(loop: Loop) -> None:
    """The error's traceback knows the frames below the task's own, and so those that made it."""

    async def fail() -> None:
        raise ValueError

    async def main() -> None:
        made = loop.create_task(fail(), name="fails")
        seen, error = weakref.ref(made), made.exception()
        gc.disable()
        try:
            del made
            assert seen() is None
        finally:
            gc.enable()
        assert isinstance(error, ValueError)

    newer: Any = asyncio
    loop.set_task_factory(newer.eager_task_factory)
    run(loop, main())
