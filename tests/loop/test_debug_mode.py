"""Debug mode: wrong threads, wrong callbacks and slow ones are told, and where things were made."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import threading
from typing import Any

import pytest

from loop.running import (
    Loop,
    Recorder,
    connect,
    is_asyncio,
    run,
    run_until_stopped,
    sockets,
    turn,
)


@pytest.fixture
def debugged(loop: Loop) -> Loop:
    """Give the loop in debug mode."""
    loop.set_debug(True)
    return loop


def in_thread(work: Any) -> BaseException | None:
    """Do it in a thread; give what it raised."""
    raised: list[BaseException] = []

    def attempt() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    return raised[0] if raised else None


def test_the_mode_is_switched(loop: Loop) -> None:
    assert not loop.get_debug()
    loop.set_debug(True)
    assert loop.get_debug()
    loop.set_debug(False)
    assert not loop.get_debug()


def test_a_call_from_a_wrong_thread_is_refused(debugged: Loop) -> None:
    async def main() -> None:
        for call in (
            lambda: debugged.call_soon(print),
            lambda: debugged.call_later(1, print),
            lambda: debugged.call_at(1, print),
        ):
            error = in_thread(call)
            assert isinstance(error, RuntimeError)
            assert "Non-thread-safe operation" in str(error)
        assert in_thread(lambda: debugged.call_soon_threadsafe(list)) is None

    run(debugged, main())


def test_without_the_mode_nothing_is_checked(loop: Loop) -> None:
    async def main() -> None:
        assert in_thread(lambda: loop.call_soon(list)) is None
        await asyncio.sleep(0)

    run(loop, main())


def test_a_coroutine_is_no_callback(debugged: Loop) -> None:
    async def coroutine() -> None:
        """Be no callback."""

    schedule: Any = debugged
    for method, *arguments in (
        (schedule.call_soon,),
        (schedule.call_later, 1),
        (schedule.call_at, 1),
        (schedule.call_soon_threadsafe,),
        (schedule.run_in_executor, None),
    ):
        with pytest.raises(TypeError, match="coroutines cannot be used"):
            method(*arguments, coroutine)
        with pytest.raises(TypeError, match="a callable object was expected"):
            method(*arguments, "text")


def test_a_slow_callback_is_told(debugged: Loop, caplog: pytest.LogCaptureFixture) -> None:
    def slow() -> None:
        """Be slower than nothing."""

    debugged.slow_callback_duration = 0.0
    debugged.call_soon(slow)
    with caplog.at_level(logging.WARNING, "asyncio"):
        turn(debugged)
    (line,) = [record.getMessage() for record in caplog.records if "slow" in record.getMessage()]
    assert line.startswith("Executing <Handle test_a_slow_callback_is_told.<locals>.slow() at ")
    assert " created at " in line
    assert "test_debug_mode.py" in line
    assert line.endswith(" seconds")


def test_a_slow_step_of_a_task_is_told_by_its_task(
    debugged: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    async def slow() -> None:
        """Be slower than nothing."""

    debugged.slow_callback_duration = 0.0
    with caplog.at_level(logging.WARNING, "asyncio"):
        debugged.run_until_complete(slow())
    lines = [record.getMessage() for record in caplog.records]
    assert any(line.startswith("Executing <Task ") and "slow()" in line for line in lines)


def test_a_quick_callback_is_not_told(debugged: Loop, caplog: pytest.LogCaptureFixture) -> None:
    debugged.slow_callback_duration = 1000.0
    debugged.call_soon(list)
    with caplog.at_level(logging.WARNING, "asyncio"):
        turn(debugged)
    assert caplog.records == []


def test_a_handle_knows_where_it_was_made(debugged: Loop) -> None:
    handles: list[Any] = [
        debugged.call_soon(list),
        debugged.call_later(0, list),
        debugged.call_at(0, list),
        debugged.call_soon_threadsafe(list),
    ]
    for handle in handles:
        assert handle._source_traceback[-1].name == "test_a_handle_knows_where_it_was_made"
        assert "created at" in repr(handle)
        handle.cancel()
        assert "created at" in repr(handle)


def test_a_task_knows_where_it_was_made(debugged: Loop) -> None:
    async def main() -> None:
        tasks: list[Any] = [
            debugged.create_task(asyncio.sleep(0)),
            debugged.create_task(asyncio.sleep(0), name="by name"),
        ]
        for task in tasks:
            assert task._source_traceback[-1].name == "main"
            await task

    run(debugged, main())


def test_an_exception_tells_where_its_callback_was_made(
    debugged: Loop, unhandled: list[dict[str, Any]]
) -> None:
    def fail() -> None:
        raise ValueError

    debugged.call_soon(fail)
    turn(debugged)
    told = unhandled.pop()
    places = [frame.name for frame in told["source_traceback"]]
    assert places[-1] == "test_an_exception_tells_where_its_callback_was_made"


def test_a_cancelled_handle_still_tells_what_it_was(debugged: Loop) -> None:
    handle = debugged.call_soon(in_thread, print)
    handle.cancel()
    assert "cancelled" in repr(handle)
    assert "in_thread" in repr(handle)


def test_the_origin_of_coroutines_is_tracked_while_the_loop_runs(debugged: Loop) -> None:
    async def main() -> int:
        return sys.get_coroutine_origin_tracking_depth()

    before = sys.get_coroutine_origin_tracking_depth()
    assert run(debugged, main()) > 0
    assert sys.get_coroutine_origin_tracking_depth() == before


def test_a_socket_that_blocks_is_refused(debugged: Loop) -> None:
    ours, theirs = sockets(socket.AF_UNIX)
    ours.setblocking(True)

    async def main() -> None:
        with pytest.raises(ValueError, match="must be non-blocking"):
            await debugged.sock_recv(ours, 1)

    run(debugged, main())
    ours.close()
    theirs.close()


def test_everything_else_works_as_without_the_mode(debugged: Loop) -> None:
    ours, theirs = sockets(socket.AF_UNIX)
    debugged.add_reader(ours, debugged.stop)
    theirs.send(b"x")
    run_until_stopped(debugged)
    debugged.remove_reader(ours)
    ours.close()
    theirs.close()
    assert run(debugged, asyncio.sleep(0.001, "slept")) == "slept"


def test_what_happens_to_a_connection_is_logged(
    debugged: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    class Waiting(asyncio.Protocol):
        def __init__(self) -> None:
            self.is_lost = debugged.create_future()

        def connection_lost(self, exc: Exception | None) -> None:
            self.is_lost.set_result(exc)

    async def main() -> None:
        ours, theirs = sockets()
        transport, protocol = await debugged.create_connection(Waiting, sock=ours)
        transport.pause_reading()
        transport.pause_reading()
        transport.resume_reading()
        theirs.close()
        await protocol.is_lost

    with caplog.at_level(logging.DEBUG, logger="asyncio"):
        run(debugged, main())
    endings = ["pauses reading", "resumes reading", "received EOF"]
    told = [ending for text in caplog.messages for ending in endings if text.endswith(ending)]
    assert told == endings


def test_a_question_for_an_address_in_numbers_is_logged_too(
    debugged: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="asyncio"):
        run(debugged, debugged.getaddrinfo("127.0.0.1", 80))
    assert [text for text in caplog.messages if text.startswith("Get address info 127.0.0.1")]


def test_a_log_that_fails_does_not_keep_a_connection_whose_peer_has_ended(
    debugged: Loop, unhandled: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    if is_asyncio(debugged):
        pytest.skip("asyncio asks the kernel again, which tells of the end for ever")

    def fail(record: logging.LogRecord) -> bool:
        if record.getMessage().endswith("received EOF"):
            raise ZeroDivisionError
        return True

    async def main() -> None:
        ours, theirs = sockets()
        protocol = Recorder()
        await connect(ours, protocol)
        theirs.close()
        await protocol.lost()
        assert protocol.calls[-2:] == ["eof_received", "connection_lost"]

    logger = logging.getLogger("asyncio")
    logger.addFilter(fail)
    try:
        with caplog.at_level(logging.DEBUG, logger="asyncio"):
            run(debugged, main())
    finally:
        logger.removeFilter(fail)
    assert isinstance(unhandled.pop()["exception"], ZeroDivisionError)


def test_a_slow_callback_that_fails_is_told_too(
    debugged: Loop, unhandled: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    debugged.slow_callback_duration = 0.0
    debugged.call_soon(fail)
    with caplog.at_level(logging.WARNING, "asyncio"):
        turn(debugged)
    assert isinstance(unhandled.pop()["exception"], ZeroDivisionError)
    assert any(text.startswith("Executing <Handle ") for text in caplog.messages)


def test_an_exception_of_a_reader_tells_where_it_was_added(
    debugged: Loop, unhandled: list[dict[str, Any]]
) -> None:
    def fail() -> None:
        debugged.remove_reader(ours)
        debugged.stop()
        raise ZeroDivisionError

    ours, theirs = sockets(socket.AF_UNIX)
    debugged.add_reader(ours, fail)
    theirs.send(b"x")
    run_until_stopped(debugged)
    ours.close()
    theirs.close()
    places = [frame.name for frame in unhandled.pop()["source_traceback"]]
    assert "test_an_exception_of_a_reader_tells_where_it_was_added" in places
