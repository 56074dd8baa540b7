"""A loop in each of several threads, all at once: none meets another, but where it is called.

Without a GIL the threads run beside each other, and with one they take turns: it is the same.
"""

from __future__ import annotations

import asyncio
import gc
import queue
import threading
from typing import TYPE_CHECKING, Any

from loop.running import LIMIT_S, run, run_until_stopped, turn

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Factory = Callable[[], asyncio.AbstractEventLoop]
    Main = Callable[["Crowd", int], Coroutine[Any, Any, None]]

#: Threads; more than any machine of ours has processors.
THREADS = 4


class Crowd:
    """Threads that each run a loop; what one raises is the test's."""

    def __init__(self, make_loop: Factory, main: Main) -> None:
        self.loops = [make_loop() for _ in range(THREADS)]
        self._main = main
        #: What takes calls from other loops, by the number of its own.
        self.receivers: dict[int, Callable[[int], None]] = {}
        self._failures: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
        #: All have begun; all have ended.
        self.begun = threading.Barrier(THREADS)
        self.ended = threading.Barrier(THREADS)

    def run(self) -> None:
        """Run all of them to their end."""
        threads = [threading.Thread(target=self._run, args=(one,)) for one in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for loop in self.loops:
            loop.close()
        if not self._failures.empty():
            raise self._failures.get()

    def _run(self, number: int) -> None:
        try:
            self.begun.wait(LIMIT_S)
            run(self.loops[number], self._main(self, number))
        except BaseException as failure:
            self._failures.put(failure)
            self.ended.abort()

    async def all_have_ended(self) -> None:
        """Wait until no other loop calls this one any more."""
        await asyncio.to_thread(self.ended.wait, LIMIT_S)
        await asyncio.get_running_loop().shutdown_default_executor()


async def _echo(rounds: int) -> None:
    """Talk to a server of this loop over several connections."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def talk(number: int) -> None:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for round_ in range(rounds):
            line = b"%d of %d, %s\n" % (round_, number, b"x" * (round_ * 37 % 5000))
            writer.write(line)
            assert await reader.readline() == line
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        await asyncio.gather(*map(talk, range(5)))


async def _timers(count: int) -> None:
    """Let timers come due in order, and cancel every other one."""
    loop = asyncio.get_running_loop()
    came: list[int] = []
    done = loop.create_future()
    begin = loop.time()
    for number in range(count):
        late = loop.call_at(begin + number * 1e-5, came.append, number)
        if number % 2:
            late.cancel()
    loop.call_at(begin + count * 1e-5, done.set_result, None)
    await done
    assert came == list(range(0, count, 2))


async def _calls(crowd: Crowd, number: int, count: int) -> None:
    """Call the next loop so often, and be called by the one before."""
    loop = asyncio.get_running_loop()
    came: list[int] = []
    done = loop.create_future()

    def receive(call: int) -> None:
        assert asyncio.get_running_loop() is loop
        came.append(call)
        if len(came) == count:
            done.set_result(None)

    crowd.receivers[number] = receive
    after = (number + 1) % THREADS
    while after not in crowd.receivers:  # noqa: ASYNC110 - another thread's loop puts it there
        await asyncio.sleep(0)
    other = crowd.loops[after]
    for call in range(count):
        other.call_soon_threadsafe(crowd.receivers[after], call)
        if call % 100 == 0:
            await asyncio.sleep(0)
    await done
    assert came == list(range(count))


def test_loops_in_threads_talk_wait_and_call_each_other_at_once(make_loop: Factory) -> None:
    async def main(crowd: Crowd, number: int) -> None:
        await asyncio.gather(_echo(40), _timers(500), _calls(crowd, number, 2000))
        await crowd.all_have_ended()

    Crowd(make_loop, main).run()


def test_coroutines_go_round_all_loops(make_loop: Factory) -> None:
    async def add(crowd: Crowd, number: int, left: int) -> int:
        if not left:
            return number
        after = (number + 1) % THREADS
        there = asyncio.run_coroutine_threadsafe(add(crowd, after, left - 1), crowd.loops[after])
        return number + await asyncio.wrap_future(there)

    async def main(crowd: Crowd, number: int) -> None:
        for _ in range(20):
            assert await add(crowd, number, 7) == 2 * sum(range(THREADS))
        await crowd.all_have_ended()

    Crowd(make_loop, main).run()


def test_garbage_is_collected_while_loops_run(make_loop: Factory) -> None:
    async def forget(count: int) -> None:
        for _ in range(count):
            future: Any = asyncio.get_running_loop().create_future()
            future.itself = future
            handle: Any = asyncio.get_running_loop().call_soon(id, future)
            later = asyncio.get_running_loop().call_later(0.001, id, handle)
            future.seen = (handle, later)
            await asyncio.sleep(0)

    async def main(crowd: Crowd, number: int) -> None:
        if number == 0:
            for _ in range(20):
                gc.collect()
                await asyncio.sleep(0)
        else:
            await asyncio.gather(forget(500), _echo(10))
        await crowd.all_have_ended()

    Crowd(make_loop, main).run()


def test_a_call_that_comes_as_the_loop_begins_is_not_lost(make_loop: Factory) -> None:
    for _ in range(300):
        loop = make_loop()
        starting = threading.Barrier(2)

        def call(loop: Any = loop, starting: threading.Barrier = starting) -> None:
            starting.wait(LIMIT_S)
            loop.call_soon_threadsafe(loop.stop)

        thread = threading.Thread(target=call)
        thread.start()
        starting.wait(LIMIT_S)
        run_until_stopped(loop)
        thread.join()
        loop.close()


def test_handles_are_cancelled_by_a_thread_while_the_loop_runs_them(make_loop: Factory) -> None:
    loop = make_loop()
    ran: list[int] = []
    kept = 0

    def call() -> None:
        nonlocal kept
        for number in range(20_000):
            handle: Any = loop.call_soon_threadsafe(ran.append, number)
            if number % 3 == 0:
                kept += 1
            else:
                handle.cancel()
                assert handle.cancelled()
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=call)
    thread.start()
    run_until_stopped(loop)
    thread.join()
    turn(loop)
    loop.close()
    assert ran == sorted(set(ran)), "none runs twice, and all in order"
    assert {number for number in ran if number % 3 == 0} == set(range(0, 20_000, 3))
    assert kept == len(range(0, 20_000, 3))


def test_loops_come_and_go_in_threads(make_loop: Factory) -> None:
    failures: list[BaseException] = []

    def come_and_go() -> None:
        try:
            for _ in range(10):
                loop = make_loop()
                run(loop, _echo(3))
                run(loop, loop.shutdown_asyncgens())
                loop.close()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=come_and_go) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
