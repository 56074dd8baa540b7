"""What runs next: order, turns, timers, and the life of a loop."""

from __future__ import annotations

import asyncio
import gc
import math
import random
import signal
import socket
import sys
import time
import weakref
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

import corrente
from loop.running import Loop, is_asyncio, run, run_until_stopped, sockets, turn

if TYPE_CHECKING:
    from collections.abc import Callable

    Factory = Callable[[], Loop]

#: Asyncio calls a timer that is due within what its clock can tell apart.
RESOLUTION_S = time.get_clock_info("monotonic").resolution

#: What has no type of its own here: a coroutine, what a generator gives.
Foreign: TypeAlias = Any


def test_callbacks_run_in_the_order_they_were_scheduled(loop: Loop) -> None:
    order: list[int] = []
    for number in range(1000):
        loop.call_soon(order.append, number)
    turn(loop)
    assert order == list(range(1000))


def test_what_a_callback_schedules_runs_in_the_next_turn(loop: Loop) -> None:
    order: list[str] = []

    def first() -> None:
        order.append("first")
        loop.call_soon(order.append, "scheduled by first")

    loop.call_soon(first)
    loop.call_soon(order.append, "second")
    turn(loop)
    assert order == ["first", "second"]
    turn(loop)
    assert order == ["first", "second", "scheduled by first"]


def test_stop_ends_with_the_turn_that_it_is_called_in(loop: Loop) -> None:
    order: list[str] = []
    loop.call_soon(loop.stop)
    loop.call_soon(order.append, "same turn")
    loop.call_soon(loop.call_soon, order.append, "next turn")
    loop.run_forever()
    assert order == ["same turn"]


def test_a_loop_that_is_stopped_before_it_runs_runs_one_turn(loop: Loop) -> None:
    order: list[str] = []
    loop.call_soon(order.append, "ready")
    loop.stop()
    loop.run_forever()
    assert order == ["ready"]


def test_timers_of_equal_time_run_in_the_order_they_were_scheduled(loop: Loop) -> None:
    order: list[int] = []
    when = loop.time() + 0.01
    for number in range(300):
        loop.call_at(when, order.append, number)
    loop.call_at(when + 0.001, loop.stop)
    run_until_stopped(loop)
    # Asyncio keeps them in a heap, which does not remember who came first.
    if type(loop) is asyncio.SelectorEventLoop:
        order.sort()
    assert order == list(range(300))


def test_timers_run_in_the_order_of_their_times(loop: Loop) -> None:
    order: list[float] = []
    begin = loop.time()
    times = [begin + number * 1e-5 for number in range(500)]
    for when in random.Random(3).sample(times, len(times)):
        loop.call_at(when, order.append, when)
    loop.call_at(times[-1] + 1e-5, loop.stop)
    run_until_stopped(loop)
    assert order == times


def test_timers_are_never_early(loop: Loop) -> None:
    early: list[float] = []
    source = random.Random(4)

    def look(when: float) -> None:
        if loop.time() < when - RESOLUTION_S:
            early.append(when - loop.time())

    delays = [source.uniform(0, 0.05) for _ in range(400)]
    for delay in delays:
        handle = loop.call_later(delay, lambda: None)
        loop.call_at(handle.when(), look, handle.when())
    loop.call_later(max(delays) + 0.001, loop.stop)
    run_until_stopped(loop)
    assert early == []


def test_a_ready_callback_runs_before_a_timer_of_no_delay(loop: Loop) -> None:
    order: list[str] = []
    loop.call_later(0, order.append, "timer")
    loop.call_later(-1, order.append, "earlier timer")
    loop.call_soon(order.append, "ready")
    turn(loop)
    assert order == ["ready", "earlier timer", "timer"]


def test_a_timer_in_the_past_runs_in_the_next_turn(loop: Loop) -> None:
    order: list[str] = []
    loop.call_at(loop.time() - 100, order.append, "past")
    turn(loop)
    assert order == ["past"]


def test_a_cancelled_timer_does_not_run(loop: Loop) -> None:
    order: list[str] = []
    cancelled = loop.call_later(0.001, order.append, "cancelled")
    loop.call_later(0.001, order.append, "kept")
    cancelled.cancel()
    loop.call_later(0.002, loop.stop)
    run_until_stopped(loop)
    assert order == ["kept"]


def test_a_timer_may_be_cancelled_in_the_turn_that_it_is_due_in(loop: Loop) -> None:
    order: list[str] = []
    when = loop.time() + 0.001
    timers: list[asyncio.TimerHandle] = []
    loop.call_at(when, lambda: timers[0].cancel())  # noqa: PLW0108 - it is appended below
    timers.append(loop.call_at(when, order.append, "cancelled"))
    loop.call_at(when, loop.stop)
    run_until_stopped(loop)
    assert order == []


def test_of_many_timers_only_those_not_cancelled_run(loop: Loop) -> None:
    kept: list[int] = []
    begin = loop.time()
    timers = [loop.call_at(begin + number * 1e-6, kept.append, number) for number in range(5000)]
    for number, timer in enumerate(timers):
        if number % 50:
            timer.cancel()
    loop.call_at(begin + 0.006, loop.stop)
    run_until_stopped(loop)
    assert kept == list(range(0, 5000, 50))


@pytest.mark.parametrize("delay", [1e6, 1e12, math.inf])
def test_a_timer_may_be_further_off_than_any_clock(loop: Loop, delay: float) -> None:
    timer = loop.call_later(delay, loop.stop)
    loop.call_later(0.001, loop.stop)
    run_until_stopped(loop)
    timer.cancel()


def test_a_timer_tells_its_time(loop: Loop) -> None:
    before = loop.time()
    timer = loop.call_later(5, print)
    assert isinstance(timer, asyncio.TimerHandle)
    assert before + 5 <= timer.when() <= loop.time() + 5
    assert isinstance(loop.call_later(0, print), asyncio.TimerHandle)
    assert loop.call_at(7, print).when() == 7


def test_a_delay_is_a_number(loop: Loop) -> None:
    schedule: Any = loop
    with pytest.raises(TypeError):
        schedule.call_later(None, print)
    with pytest.raises(TypeError):
        schedule.call_at(None, print)
    with pytest.raises(TypeError):
        schedule.call_later("1", print)


def test_a_callback_takes_its_arguments_by_position_alone(loop: Loop) -> None:
    schedule: Any = loop
    with pytest.raises(TypeError):
        schedule.call_soon(print, end="")
    with pytest.raises(TypeError):
        schedule.call_soon()


def test_a_callback_that_is_always_ready_does_not_starve_descriptors_and_timers(loop: Loop) -> None:
    ours, theirs = sockets(socket.AF_UNIX)
    seen: list[str] = []

    def see(what: str) -> None:
        seen.append(what)
        loop.remove_reader(ours)
        if len(seen) == 2:
            loop.stop()

    def spin() -> None:
        loop.call_soon(spin)

    loop.add_reader(ours, see, "descriptor")
    loop.call_later(0.005, see, "timer")
    loop.call_soon(spin)
    theirs.send(b"x")
    run_until_stopped(loop)
    ours.close()
    theirs.close()
    assert sorted(seen) == ["descriptor", "timer"]


def test_the_clock_is_monotonic(loop: Loop) -> None:
    before, now, after = time.monotonic(), loop.time(), time.monotonic()
    assert before - RESOLUTION_S <= now <= after + RESOLUTION_S


def test_running_gives_the_result_of_a_coroutine_or_its_exception(loop: Loop) -> None:
    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    async def fail() -> None:
        raise ValueError("of the coroutine")

    assert loop.run_until_complete(answer()) == 42
    with pytest.raises(ValueError, match="of the coroutine"):
        loop.run_until_complete(fail())
    assert loop.run_until_complete(answer()) == 42


def test_a_loop_that_is_stopped_early_says_so(loop: Loop) -> None:
    future = loop.create_future()
    loop.call_soon(loop.stop)
    with pytest.raises(RuntimeError, match="stopped before Future completed"):
        loop.run_until_complete(future)
    future.cancel()
    turn(loop)


def test_a_future_of_another_loop_is_refused(loop: Loop, make_loop: Factory) -> None:
    other = make_loop()
    with pytest.raises(ValueError, match=r"different loop|belongs to"):
        loop.run_until_complete(other.create_future())
    other.close()


def test_a_running_loop_cannot_be_run_again_or_closed(loop: Loop, make_loop: Factory) -> None:
    if sys.version_info[:3] == (3, 13, 0):
        pytest.skip("asyncio of 3.13.0 forgets which loop runs when one is run twice")
    other = make_loop()
    other.call_soon(other.stop)

    async def main() -> None:
        assert loop.is_running()
        assert asyncio.get_running_loop() is loop
        with pytest.raises(RuntimeError, match="already running"):
            loop.run_forever()
        with pytest.raises(RuntimeError, match="while another loop is running"):
            other.run_forever()
        with pytest.raises(RuntimeError, match="Cannot close a running event loop"):
            loop.close()

    run(loop, main())
    other.close()
    assert not loop.is_running()
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_a_closed_loop_refuses_work(loop: Loop) -> None:
    loop.close()
    loop.close()
    assert loop.is_closed()
    refused: list[Callable[[], object]] = [
        lambda: loop.call_soon(print),
        lambda: loop.call_soon_threadsafe(print),
        lambda: loop.call_later(1, print),
        lambda: loop.call_at(1, print),
        lambda: loop.add_reader(0, print),
        lambda: loop.run_in_executor(None, print),
        loop.run_forever,
    ]
    for call in refused:
        with pytest.raises(RuntimeError, match="Event loop is closed"):
            call()
    never = asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.create_task(never)
    never.close()


def test_closing_drops_what_is_scheduled(loop: Loop) -> None:
    order: list[str] = []
    loop.call_soon(order.append, "ready")
    loop.call_later(0, order.append, "timer")
    loop.close()
    assert order == []


def test_tasks_take_a_name_and_a_context_and_come_from_the_factory(loop: Loop) -> None:
    made: list[asyncio.Task[Any]] = []

    def factory(of: Loop, coro: Foreign, **keywords: Foreign) -> asyncio.Task[Any]:
        made.append(asyncio.Task(coro, loop=of, **keywords))
        return made[-1]

    async def main() -> str:
        task = loop.create_task(asyncio.sleep(0), name="given")
        await task
        return task.get_name()

    assert run(loop, main()) == "given"
    loop.set_task_factory(factory)
    assert loop.get_task_factory() is factory
    assert run(loop, main()) == "given"
    assert len(made) >= 2
    loop.set_task_factory(None)
    assert loop.get_task_factory() is None


def test_futures_and_tasks_are_asyncios_own(loop: Loop) -> None:
    assert type(loop.create_future()) is asyncio.Future
    task = loop.create_task(asyncio.sleep(0))
    assert type(task) is asyncio.Task
    loop.run_until_complete(task)


def test_a_task_without_a_name_gets_one_and_what_is_no_keyword_is_refused(loop: Loop) -> None:
    async def main() -> None:
        for task in (loop.create_task(nothing()), loop.create_task(nothing(), name=None)):
            assert task.get_name().startswith("Task-")
            await task
        coroutine = nothing()
        make: Foreign = loop.create_task
        with pytest.raises(TypeError):
            make(coroutine, nome=None)
        coroutine.close()
        with pytest.raises(TypeError, match="coroutine"):
            make(None)

    async def nothing() -> None:
        pass

    run(loop, main())


def test_a_closed_loop_that_nobody_keeps_is_gone_at_once(make_loop: Factory) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
        await future
        await loop.create_task(asyncio.sleep(0))

    loop = make_loop()
    gone = weakref.ref(loop)
    gc.collect()
    gc.disable()
    try:
        loop.run_until_complete(main())
        loop.close()
        del loop
        assert gone() is None
    finally:
        gc.enable()


def test_an_executor_runs_functions_and_is_shut_down(loop: Loop) -> None:
    async def main() -> int:
        return await loop.run_in_executor(None, sum, (1, 2, 3))

    assert run(loop, main()) == 6
    run(loop, loop.shutdown_default_executor())
    with pytest.raises(RuntimeError, match="shutdown"):
        loop.run_in_executor(None, print)


def test_generators_are_closed_with_the_loop(loop: Loop) -> None:
    ended: list[str] = []

    async def numbers() -> Foreign:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            ended.append("generator")

    async def main() -> Foreign:
        generator = numbers()
        assert await anext(generator) == 1
        return generator

    kept = run(loop, main())
    run(loop, loop.shutdown_asyncgens())
    assert ended == ["generator"]
    del kept


def test_what_is_required_may_be_given_by_name(loop: Loop) -> None:
    seen: list[str] = []
    schedule: Any = loop

    async def note(name: str) -> None:
        seen.append(name)

    schedule.call_soon(callback=lambda: seen.append("soon"))
    schedule.call_soon_threadsafe(callback=lambda: seen.append("thread"))
    schedule.call_later(0, callback=lambda: seen.append("later"))
    schedule.call_at(when=0, callback=lambda: seen.append("at"))
    task = schedule.create_task(coro=note("task"), name="named")
    assert task.get_name() == "named"
    run(loop, asyncio.sleep(0.001))
    assert sorted(seen) == ["at", "later", "soon", "task", "thread"]


def test_what_is_given_twice_or_too_much_is_refused(loop: Loop) -> None:
    schedule: Any = loop
    coroutine = asyncio.sleep(0)
    with pytest.raises(TypeError, match="multiple values"):
        schedule.call_soon(print, callback=print)
    with pytest.raises(TypeError, match="multiple values"):
        schedule.call_later(1, print, delay=1)
    with pytest.raises(TypeError):
        schedule.create_task(coroutine, "a name")
    coroutine.close()


def test_a_loop_and_its_transports_keep_nothing_in_their_dictionaries() -> None:
    """As long as there is none, the interpreter finds a method without a look into it."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(None)
        loop.set_exception_handler(None)
        loop.set_debug(True)
        loop.add_signal_handler(signal.SIGUSR1, lambda: None)
        await loop.run_in_executor(None, lambda: None)
        ours, theirs = sockets()
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        kept.append(vars(transport))
        theirs.close()
        transport.close()
        endpoint, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )
        kept.append(vars(endpoint))
        endpoint.close()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        server.close()
        loop.set_debug(False)
        await loop.shutdown_asyncgens()

    kept: list[dict[str, object]] = []
    loop = corrente.new_event_loop()
    run(loop, main())
    loop.close()
    assert [*kept, vars(loop)] == [{}, {}, {}]
    # Whoever wants to keep something there still can.
    loop.its_owner = "somebody"  # type: ignore[attr-defined]
    assert vars(loop) == {"its_owner": "somebody"}


def test_what_asyncio_keeps_in_a_loop_has_a_slot(loop: Loop) -> None:
    """Without a dictionary the interpreter finds a loop's methods by its class alone."""
    if is_asyncio(loop):
        pytest.skip("asyncio's has a dictionary")

    async def main() -> None:
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        await loop.run_in_executor(None, int)
        loop.set_exception_handler(None)
        loop.set_debug(True)
        loop.set_debug(False)
        server.close()

    run(loop, main())
    run(loop, loop.shutdown_asyncgens())
    run(loop, loop.shutdown_default_executor())
    assert vars(loop) == {}
