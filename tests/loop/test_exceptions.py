"""What callbacks raise: reported where asyncio reports it, or it leaves the loop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from loop.running import Loop, Recorder, connect, run, run_until_stopped, sockets, turn

if TYPE_CHECKING:
    from collections.abc import Callable


class OddError(BaseException):
    """Neither an `Exception` nor one that ends a program."""


def fail_with(error: BaseException) -> Callable[[], None]:
    """Give a callback that raises this."""

    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", [ValueError("x"), OddError("x"), asyncio.CancelledError()])
def test_an_exception_of_a_callback_is_told_and_the_loop_runs_on(
    loop: Loop, unhandled: list[dict[str, Any]], error: BaseException
) -> None:
    order: list[str] = []
    callback = fail_with(error)
    handle = loop.call_soon(callback)
    loop.call_soon(order.append, "next")
    turn(loop)
    assert order == ["next"]
    told = unhandled.pop()
    assert told["exception"] is error
    assert told["handle"] is handle
    assert told["message"].startswith("Exception in callback ")
    assert "fail_with.<locals>.fail()" in told["message"]


def test_without_a_handler_it_is_logged(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    loop.call_soon(fail_with(ValueError("in the log")))
    with caplog.at_level(logging.ERROR, "asyncio"):
        turn(loop)
    (record,) = caplog.records
    assert record.name == "asyncio"
    assert record.getMessage().startswith("Exception in callback ")
    assert record.exc_info
    assert str(record.exc_info[1]) == "in the log"


def test_a_handler_that_fails_is_logged_and_the_loop_runs_on(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    order: list[str] = []

    def handler(_loop: Loop, _context: dict[str, Any]) -> None:
        raise ZeroDivisionError

    loop.set_exception_handler(handler)
    loop.call_soon(fail_with(ValueError()))
    loop.call_soon(order.append, "next")
    turn(loop)
    assert order == ["next"]
    assert "Unhandled error in exception handler" in caplog.text


def test_a_handler_is_a_callable_or_none(loop: Loop) -> None:
    handlers: Any = loop
    with pytest.raises(TypeError, match="callable object or None"):
        handlers.set_exception_handler("no handler")
    handlers.set_exception_handler(None)
    assert loop.get_exception_handler() is None
    told: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: told.append(context))
    loop.call_exception_handler({"message": "by hand"})
    assert told == [{"message": "by hand"}]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_what_ends_a_program_leaves_the_loop(loop: Loop, error: BaseException) -> None:
    order: list[str] = []
    loop.call_soon(fail_with(error))
    loop.call_soon(order.append, "after")
    with pytest.raises(type(error)) as raised:
        loop.run_forever()
    assert raised.value is error
    assert not loop.is_running()
    turn(loop)
    assert order == ["after"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_what_ends_a_program_leaves_the_loop_from_a_task(loop: Loop, error: BaseException) -> None:
    async def main() -> None:
        await asyncio.sleep(0)
        raise error

    with pytest.raises(type(error)):
        loop.run_until_complete(main())
    assert run(loop, asyncio.sleep(0, "still works")) == "still works"


def test_an_exception_of_a_reader_is_told_and_it_stays(
    loop: Loop, unhandled: list[dict[str, Any]]
) -> None:
    ours, theirs = sockets(socket.AF_UNIX)
    calls: list[str] = []

    def read() -> None:
        calls.append("read")
        if len(calls) == 2:
            loop.stop()
        raise ValueError(len(calls))

    loop.add_reader(ours, read)
    theirs.send(b"x")
    run_until_stopped(loop)
    assert loop.remove_reader(ours)
    ours.close()
    theirs.close()
    assert [str(told["exception"]) for told in unhandled] == ["1", "2"]
    unhandled.clear()


def test_an_exception_that_nobody_retrieves_is_told(
    loop: Loop, unhandled: list[dict[str, Any]]
) -> None:
    async def fail() -> None:
        raise ValueError("nobody asked")

    task = loop.create_task(fail())
    turn(loop)
    turn(loop)
    assert task.done()
    del task
    gc.collect()
    told = unhandled.pop()
    assert told["message"] == "Task exception was never retrieved"


def test_a_loop_that_is_closed_with_a_task_says_so(
    loop: Loop, unhandled: list[dict[str, Any]]
) -> None:
    async def wait() -> None:
        await loop.create_future()

    task = loop.create_task(wait())
    turn(loop)
    loop.close()
    del task
    gc.collect()
    told = unhandled.pop()
    assert told["message"] == "Task was destroyed but it is pending!"


def test_what_ends_the_program_leaves_nothing_unsent(loop: Loop) -> None:
    ours, theirs = sockets(socket.AF_UNIX)
    protocol = Recorder()
    transport = run(loop, connect(ours, protocol))

    def leave() -> None:
        transport.write(b"last words")
        raise SystemExit

    loop.call_soon(leave)
    with pytest.raises(SystemExit):
        loop.run_forever()
    assert theirs.recv(100) == b"last words"
    theirs.close()
    run(loop, protocol.lost())


def test_what_is_written_before_a_fork_is_sent_once_where_both_programs_end(loop: Loop) -> None:
    ours, theirs = sockets(socket.AF_UNIX)
    protocol = Recorder()
    transport = run(loop, connect(ours, protocol))
    parent = os.getpid()
    children: list[int] = []

    def leave() -> None:
        transport.write(b"once")
        children.append(os.fork())
        raise SystemExit

    loop.call_soon(leave)
    try:
        with pytest.raises(SystemExit):
            loop.run_forever()
    finally:
        if os.getpid() != parent:
            os._exit(0)
    os.waitpid(children[0], 0)
    assert theirs.recv(100) == b"once"
    theirs.close()
    run(loop, protocol.lost())
