"""Calls from other threads: none is lost, none is late, their order is kept."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

import pytest

import corrente
from loop.running import LIMIT_S, Loop, run, run_until_stopped, turn

if TYPE_CHECKING:
    from collections.abc import Callable


def in_thread(work: Callable[[], object]) -> threading.Thread:
    """Start a thread that does this."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_a_call_from_a_thread_wakes_an_idle_loop(loop: Loop) -> None:
    seen: list[int] = []

    def call() -> None:
        seen.append(threading.get_ident())
        loop.stop()

    thread = in_thread(lambda: loop.call_soon_threadsafe(call))
    run_until_stopped(loop)
    thread.join()
    assert seen == [threading.get_ident()]


def test_no_call_is_lost_between_an_empty_queue_and_the_wait(loop: Loop) -> None:
    """Ping-pong: each call finds the loop about to wait, or waiting, or just awake."""
    rounds = 3000
    balls: queue.SimpleQueue[int] = queue.SimpleQueue()
    caught: list[int] = []

    def play() -> None:
        for _ in range(rounds):
            loop.call_soon_threadsafe(catch, balls.get(timeout=LIMIT_S))

    def catch(ball: int) -> None:
        caught.append(ball)
        if ball + 1 == rounds:
            loop.stop()
        else:
            balls.put(ball + 1)

    thread = in_thread(play)
    balls.put(0)
    run_until_stopped(loop)
    thread.join()
    assert caught == list(range(rounds))


def test_calls_of_many_threads_all_run_each_in_order(loop: Loop) -> None:
    threads, calls = 8, 2000
    seen: list[tuple[int, int]] = []

    def call(thread: int) -> None:
        for number in range(calls):
            loop.call_soon_threadsafe(note, thread, number)

    def note(thread: int, number: int) -> None:
        seen.append((thread, number))
        if len(seen) == threads * calls:
            loop.stop()

    started = [in_thread(lambda thread=number: call(thread)) for number in range(threads)]  # type: ignore[misc]
    run_until_stopped(loop)
    for thread in started:
        thread.join()
    for thread_number in range(threads):
        own = [number for thread, number in seen if thread == thread_number]
        assert own == list(range(calls))


def test_a_call_before_the_loop_runs_waits_for_it(loop: Loop) -> None:
    seen: list[str] = []
    in_thread(lambda: loop.call_soon_threadsafe(seen.append, "thread")).join()
    loop.call_soon(seen.append, "own")
    turn(loop)
    assert seen == ["thread", "own"]


def test_the_loops_own_thread_may_call_too(loop: Loop) -> None:
    seen: list[str] = []
    loop.call_soon(loop.call_soon_threadsafe, seen.append, "nested")
    loop.call_soon_threadsafe(seen.append, "first")
    turn(loop)
    assert seen == ["first"]
    turn(loop)
    assert seen == ["first", "nested"]


def test_a_handle_of_a_thread_can_be_cancelled(loop: Loop) -> None:
    seen: list[str] = []
    handle = loop.call_soon_threadsafe(seen.append, "cancelled")
    assert isinstance(handle, asyncio.Handle)
    in_thread(handle.cancel).join()
    assert handle.cancelled()
    turn(loop)
    assert seen == []


@pytest.mark.parametrize("question", ["cancel", "cancelled"])
def test_who_asks_from_a_thread_gets_no_answer_while_the_callback_runs(
    loop: Loop, question: str
) -> None:
    """As CPython 3.14 has it: what was cancelled does not run any more."""
    if not isinstance(loop, corrente.EventLoop) and sys.version_info < (3, 14):
        pytest.skip("asyncio of this version answers at once")
    started, answered = threading.Event(), threading.Event()
    handles: queue.SimpleQueue[asyncio.Handle] = queue.SimpleQueue()
    early: list[bool] = []

    def callback() -> None:
        started.set()
        early.append(answered.wait(0.05))
        loop.stop()

    def ask() -> None:
        handle = loop.call_soon_threadsafe(callback)
        handles.put(handle)
        started.wait(LIMIT_S)
        getattr(handle, question)()
        answered.set()

    in_thread(ask)
    run_until_stopped(loop)
    assert answered.wait(LIMIT_S)
    assert early == [False]
    assert handles.get().cancelled() == (question == "cancel")


def test_a_callback_may_cancel_itself(loop: Loop) -> None:
    handles: list[asyncio.Handle] = []
    seen: list[bool] = []

    def callback() -> None:
        handles[0].cancel()
        seen.append(handles[0].cancelled())
        loop.stop()

    handles.append(loop.call_soon_threadsafe(callback))
    run_until_stopped(loop)
    assert seen == [True]


def test_a_thread_may_stop_the_loop(loop: Loop) -> None:
    thread = in_thread(lambda: loop.call_soon_threadsafe(loop.stop))
    run_until_stopped(loop)
    thread.join()


def test_a_thread_that_calls_a_closed_loop_is_told(loop: Loop) -> None:
    told: list[str] = []
    loop.close()

    def call() -> None:
        with pytest.raises(RuntimeError, match="Event loop is closed"):
            loop.call_soon_threadsafe(print)
        told.append("closed")

    in_thread(call).join()
    assert told == ["closed"]


def test_a_coroutine_can_be_run_from_a_thread(loop: Loop) -> None:
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        if number < 0:
            raise ValueError(number)
        return 2 * number

    def ask() -> tuple[int, BaseException | None]:
        result = asyncio.run_coroutine_threadsafe(double(21), loop).result(LIMIT_S)
        error = asyncio.run_coroutine_threadsafe(double(-1), loop).exception(LIMIT_S)
        return result, error

    result, error = run(loop, asyncio.to_thread(ask))
    assert result == 42
    assert isinstance(error, ValueError)
    run(loop, loop.shutdown_default_executor())


def test_a_coroutine_of_a_thread_can_be_cancelled_by_it(loop: Loop) -> None:
    started = threading.Event()
    ended: list[str] = []

    async def wait() -> None:
        started.set()
        try:
            await loop.create_future()
        except asyncio.CancelledError:
            ended.append("cancelled")
            loop.call_soon(loop.stop)
            raise

    def ask() -> None:
        future = asyncio.run_coroutine_threadsafe(wait(), loop)
        assert started.wait(LIMIT_S)
        future.cancel()
        with pytest.raises(CancelledError):
            future.result(LIMIT_S)

    thread = in_thread(ask)
    run_until_stopped(loop)
    turn(loop)
    thread.join()
    assert ended == ["cancelled"]


def test_loops_of_two_threads_do_not_meet(loop: Loop) -> None:
    """Each thread's loop runs its own, and futures resolved across are seen at once."""
    other_started: queue.SimpleQueue[Loop] = queue.SimpleQueue()

    def run_other() -> None:
        other = type(loop)()
        other.call_soon(other_started.put, other)
        other.run_forever()
        other.close()

    thread = in_thread(run_other)
    other = other_started.get(timeout=LIMIT_S)

    async def main() -> list[int]:
        async def there(number: int) -> int:
            assert asyncio.get_running_loop() is other
            return number

        calls = [asyncio.run_coroutine_threadsafe(there(number), other) for number in range(50)]
        return await asyncio.gather(*map(asyncio.wrap_future, calls))

    assert run(loop, main()) == list(range(50))
    other.call_soon_threadsafe(other.stop)
    thread.join()
