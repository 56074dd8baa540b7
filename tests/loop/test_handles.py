"""Handles: asyncio's own classes in every respect, and none is kept longer than it is needed."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import sys
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from loop.running import Loop, turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Factory = Callable[[], Loop]


#: More callbacks than a loop has to have before it treats their contexts in another way.
MANY = 200
KEPT: contextvars.ContextVar[object] = contextvars.ContextVar("KEPT")


class Thing:
    """Something that can be referred to weakly."""

    handle: object = None

    def method(self) -> None:
        """Do nothing."""


@contextlib.contextmanager
def collected(*things: object) -> Iterator[None]:
    """Nothing is left of these once the caller, within, has let go of them."""
    references = [weakref.ref(thing) for thing in things]
    del things
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()
        gc.collect()
    assert [reference() for reference in references] == [None] * len(references)


def named(_argument: int) -> None:
    """Be named in reprs."""


def schedule_soon(loop: Loop, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
    return loop.call_soon(callback, *args)


def schedule_later(loop: Loop, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
    return loop.call_later(0, callback, *args)


def schedule_threadsafe(loop: Loop, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
    return loop.call_soon_threadsafe(callback, *args)


every_way = pytest.mark.parametrize(
    "schedule", [schedule_soon, schedule_later, schedule_threadsafe]
)


@every_way
def test_a_handle_is_asyncios(loop: Loop, schedule: Callable[..., asyncio.Handle]) -> None:
    handle = schedule(loop, print, 1)
    assert isinstance(handle, asyncio.Handle)
    assert isinstance(handle, asyncio.TimerHandle) == (schedule is schedule_later)
    assert not handle.cancelled()
    handle.cancel()
    handle.cancel()
    assert handle.cancelled()


PLAIN = ("<Handle ", "<_ThreadSafeHandle ")


@every_way
def test_a_handle_tells_its_callback(loop: Loop, schedule: Callable[..., asyncio.Handle]) -> None:
    handle = schedule(loop, named, 1)
    # Since Python 3.13 only debug mode tells the arguments.
    told = "named() at " if sys.version_info >= (3, 13) else "named(1) at "
    # Asyncio's own has a class for handles of other threads since 3.14.
    begin = ("<TimerHandle when=",) if schedule is schedule_later else PLAIN
    assert repr(handle).startswith(begin)
    assert told in repr(handle)
    handle.cancel()
    assert "cancelled" in repr(handle)
    assert "named" not in repr(handle)


@every_way
def test_cancelling_lets_the_callback_and_its_arguments_go(
    loop: Loop, schedule: Callable[..., asyncio.Handle]
) -> None:
    thing, argument = Thing(), Thing()
    seen = [weakref.ref(thing), weakref.ref(argument)]
    handle = schedule(loop, thing.method, argument)
    del thing, argument
    handle.cancel()
    assert [reference() for reference in seen] == [None, None]
    turn(loop)


@every_way
def test_running_lets_the_callback_and_its_arguments_go(
    loop: Loop, schedule: Callable[..., asyncio.Handle]
) -> None:
    thing = Thing()
    reference = weakref.ref(thing)
    schedule(loop, list, [thing])
    del thing
    turn(loop)
    assert reference() is None


@every_way
def test_a_handle_can_be_referred_to_weakly(
    loop: Loop, schedule: Callable[..., asyncio.Handle]
) -> None:
    handle = schedule(loop, list)
    reference = weakref.ref(handle)
    assert reference() is handle
    turn(loop)
    assert not handle.cancelled()
    del handle
    assert reference() is None


@every_way
def test_cancelling_after_the_run_does_nothing(
    loop: Loop, schedule: Callable[..., asyncio.Handle]
) -> None:
    calls: list[int] = []
    handle = schedule(loop, calls.append, 1)
    turn(loop)
    handle.cancel()
    turn(loop)
    assert calls == [1]


@every_way
def test_a_callback_may_cancel_its_own_handle(
    loop: Loop, schedule: Callable[..., asyncio.Handle]
) -> None:
    calls: list[str] = []
    handles: list[asyncio.Handle] = []

    def cancel_self(*what: str) -> None:
        handles[0].cancel()
        calls.extend(what)

    handles.append(schedule(loop, cancel_self, "still", "whole"))
    turn(loop)
    assert calls == ["still", "whole"]
    assert handles[0].cancelled()


@every_way
def test_a_handle_that_was_run_and_is_kept_in_a_cycle_is_collected(
    loop: Loop, schedule: Callable[..., asyncio.Handle]
) -> None:
    thing = Thing()
    thing.handle = schedule(loop, thing.method)
    reference = weakref.ref(thing)
    turn(loop)
    del thing
    gc.collect()
    assert reference() is None


@every_way
def test_a_cancelled_handle_that_is_kept_in_a_cycle_is_collected(
    loop: Loop, schedule: Callable[..., asyncio.Handle]
) -> None:
    thing = Thing()
    handle = schedule(loop, thing.method)
    thing.handle = handle
    reference = weakref.ref(thing)
    handle.cancel()
    turn(loop)
    del thing, handle
    gc.collect()
    assert reference() is None


@every_way
def test_a_loop_that_is_closed_with_a_handle_in_a_cycle_is_collected(
    make_loop: Factory, schedule: Callable[..., asyncio.Handle]
) -> None:
    loop = make_loop()
    thing = Thing()
    thing.handle = [schedule(loop, thing.method), loop]
    references: list[weakref.ref[Any]] = [weakref.ref(thing), weakref.ref(loop)]
    loop.close()
    del thing, loop
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_an_unclosed_loop_with_work_is_collected_and_warned_of(make_loop: Factory) -> None:
    loop = make_loop()
    thing = Thing()
    for work in (thing.method, loop.stop):
        loop.call_soon(work)
        loop.call_later(1000, work)
    thing.handle = loop
    references: list[weakref.ref[Any]] = [weakref.ref(thing), weakref.ref(loop)]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        del thing, loop, work
        gc.collect()
    assert any("unclosed event loop" in str(one.message) for one in told)
    # What was told holds the loop.
    told.clear()
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_an_unclosed_loop_with_much_work_in_contexts_of_its_own_is_collected(
    make_loop: Factory,
) -> None:
    loop = make_loop()
    thing = Thing()
    thing.handle = loop

    def schedule(loop: Loop, thing: Thing) -> None:
        KEPT.set(thing)
        for _ in range(MANY):
            loop.call_soon(int)
            loop.call_later(1000, int)

    contextvars.copy_context().run(schedule, loop, thing)
    with collected(thing, loop):
        del thing, loop


@every_way
def test_an_unclosed_loop_with_a_handle_in_a_cycle_is_collected(
    make_loop: Factory, schedule: Callable[..., asyncio.Handle]
) -> None:
    loop = make_loop()
    thing = Thing()
    thing.handle = [schedule(loop, thing.method), loop]
    with collected(thing, loop):
        del thing, loop


@every_way
def test_an_unclosed_loop_whose_work_is_kept_by_the_context_it_waits_in_is_collected(
    make_loop: Factory, schedule: Callable[..., asyncio.Handle]
) -> None:
    """What was hidden from the collector while the loop ran is seen when it does not any more."""
    loop = make_loop()
    thing = Thing()

    def schedule_and_stop(loop: Loop, thing: Thing) -> None:
        KEPT.set(thing)
        thing.handle = [loop, *(schedule(loop, int) for _ in range(MANY))]
        loop.stop()

    loop.call_soon(schedule_and_stop, loop, thing)
    loop.run_forever()
    with collected(thing, loop):
        del thing, loop


def test_an_unclosed_loop_with_a_task_that_sleeps_is_collected(make_loop: Factory) -> None:
    loop = make_loop()
    told: list[str] = []
    # Asyncio tells of a task that ends so, at the end of its life.
    loop.set_exception_handler(lambda _loop, context: told.append(context["message"]))
    task = loop.create_task(asyncio.sleep(1000))
    turn(loop)
    with collected(loop, task):
        del loop, task
    assert told == ["Task was destroyed but it is pending!"]


def test_cancelled_callbacks_that_their_own_contexts_keep_are_collected(loop: Loop) -> None:
    seen: list[object] = []

    def schedule() -> None:
        thing = Thing()
        KEPT.set(thing)
        handles = [loop.call_soon(int) for _ in range(MANY)]
        thing.handle = handles
        for handle in handles:
            handle.cancel()
        loop.call_soon(look, weakref.ref(thing), context=empty)

    def look(reference: weakref.ref[Any]) -> None:
        # While the loop runs.
        gc.collect()
        seen.append(reference())
        loop.stop()

    empty = contextvars.Context()
    loop.call_soon(schedule)
    loop.run_forever()
    assert seen == [None]


def test_a_context_that_waits_with_its_callback_may_be_taken_or_replaced(loop: Loop) -> None:
    before = contextvars.copy_context()
    handles: list[Any] = [loop.call_soon(int) for _ in range(MANY)]
    handles += [loop.call_later(0, int) for _ in range(MANY)]
    contexts = [handle._context for handle in handles]
    gc.collect()
    for handle in handles[::3]:
        handle._context = contextvars.copy_context()
    for handle in handles[::7]:
        handle.cancel()
    gc.collect()
    loop.call_later(0.001, loop.stop)
    loop.run_forever()
    del handles, handle
    gc.collect()
    assert all(context == before for context in contexts)
    assert all(context.run(KEPT.get, None) is None for context in contexts)


def test_what_a_callback_keeps_of_its_context_is_collected(loop: Loop) -> None:
    """A token refers to the context that it was made in."""
    references: list[weakref.ref[Any]] = []

    def keep() -> None:
        thing = Thing()
        thing.handle = KEPT.set(thing)
        references.append(weakref.ref(thing))

    for _ in range(MANY):
        loop.call_soon(keep)
        loop.call_later(0, keep)
    loop.call_later(0.001, loop.stop)
    loop.run_forever()
    gc.collect()
    assert [reference() for reference in references] == [None] * (2 * MANY)


def test_handles_in_large_numbers_survive_the_collector(loop: Loop) -> None:
    """Collections while handles are made, kept, cancelled and run find no broken one."""
    calls: list[int] = []
    kept: list[asyncio.Handle] = []
    for number in range(3000):
        handle = loop.call_soon(calls.append, number)
        timer = loop.call_later(number % 7 * 1e-6, calls.append, -1)
        if number % 3 == 0:
            kept.append(handle)
        if number % 5 == 0:
            timer.cancel()
            kept.append(timer)
        if number % 250 == 0:
            gc.collect()
            turn(loop)
    loop.call_later(0.001, loop.stop)
    loop.run_forever()
    gc.collect()
    assert [number for number in calls if number >= 0] == list(range(3000))
    assert calls.count(-1) == 3000 - 600
    assert sum(handle.cancelled() for handle in kept) == 600


def test_timers_compare_by_their_time(loop: Loop) -> None:
    earlier: Any = loop.call_at(1000, print)
    later: Any = loop.call_at(2000, print)
    assert earlier < later
    assert later > earlier
    assert earlier <= earlier
    assert earlier != later
    assert hash(earlier) == hash(1000)


def test_a_handle_tells_its_context(loop: Loop) -> None:
    context = contextvars.copy_context()
    handle: Any = loop.call_soon(print, context=context)
    if hasattr(asyncio.Handle, "get_context"):
        assert handle.get_context() is context
    handle.cancel()


def test_an_unclosed_loop_is_collected_with_what_a_thread_sent_it_last(make_loop: Factory) -> None:
    loop = make_loop()
    thing = Thing()
    thing.handle = loop

    def stop_and_hear(loop: Loop, thing: Thing) -> None:
        loop.stop()
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(thing.method,))
        thread.start()
        thread.join()

    loop.call_soon(stop_and_hear, loop, thing)
    loop.run_forever()
    with collected(thing, loop):
        del thing, loop
