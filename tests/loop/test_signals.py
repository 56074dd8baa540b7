"""Signals: handlers run in the loop, an idle loop wakes, earlier handlers come back."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loop.running import (
    LIMIT_S,
    Loop,
    Recorder,
    connect,
    run,
    run_until_stopped,
    sockets,
    turn,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Factory = Callable[[], Loop]

#: The numbers of epoll_wait, epoll_pwait and epoll_pwait2, on x86-64 and where numbers are generic.
EPOLL_WAITS = {"232", "281", "22", "441"}


def when_idle(work: Callable[[], object]) -> threading.Thread:
    """Do this in a thread as soon as the calling one waits in epoll.

    A signal that comes just before the wait is noticed after it, by asyncio too; that is not what
    is tested.
    """
    place = Path(f"/proc/self/task/{threading.get_native_id()}/syscall")

    def wait_and_work() -> None:
        deadline = time.monotonic() + LIMIT_S / 2
        while time.monotonic() < deadline:
            number = place.read_text(encoding="ascii").split()[0]
            if number in EPOLL_WAITS:
                break
        work()

    thread = threading.Thread(target=wait_and_work)
    thread.start()
    return thread


@pytest.fixture(autouse=True)
def handlers_restored() -> Iterator[None]:
    """See that a test leaves no handler and no wake-up descriptor behind."""
    kinds = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT, signal.SIGCHLD)
    before = {kind: signal.getsignal(kind) for kind in kinds}
    yield
    assert {kind: signal.getsignal(kind) for kind in kinds} == before
    descriptor = signal.set_wakeup_fd(-1)
    assert descriptor == -1


def has_a_thread_that_lacks(descriptor: int) -> bool:
    """Tell whether a thread has a table of its own: the watchdog's, once it has begun.

    That lacks what the process has open, but is not empty for long: the watchdog opens clocks.
    """
    places = Path("/proc/self/task").glob("*/fd")
    return not all(os.path.lexists(place / str(descriptor)) for place in places)


def until(condition: Callable[[], bool], seconds: float) -> None:
    """Let others run until this holds, or so long."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        os.sched_yield()


def test_a_signal_waits_for_the_thread_that_blocks_it(loop: Loop) -> None:
    """As starting a program does for a moment: no thread of the loop's own takes it meanwhile."""

    async def main() -> None:
        if hasattr(loop, "watch"):
            with socket.socket() as known:
                until(lambda: has_a_thread_that_lacks(known.fileno()), LIMIT_S / 2)
        came = loop.create_future()
        loop.add_signal_handler(signal.SIGUSR1, came.set_result, None)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        os.kill(os.getpid(), signal.SIGUSR1)
        until(lambda: signal.SIGUSR1 not in signal.sigpending(), 0.1)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        await asyncio.wait_for(came, LIMIT_S / 2)
        loop.remove_signal_handler(signal.SIGUSR1)

    run(loop, main())


def test_a_handler_runs_in_the_loop_with_its_arguments(loop: Loop) -> None:
    calls: list[tuple[str, Loop]] = []

    def handle(name: str) -> None:
        calls.append((name, asyncio.get_running_loop()))
        loop.stop()

    loop.add_signal_handler(signal.SIGUSR1, handle, "user")
    os.kill(os.getpid(), signal.SIGUSR1)
    run_until_stopped(loop)
    assert calls == [("user", loop)]
    assert loop.remove_signal_handler(signal.SIGUSR1)
    assert not loop.remove_signal_handler(signal.SIGUSR1)


def test_a_signal_wakes_an_idle_loop(loop: Loop) -> None:
    """The thread sends it while the loop waits, or before; both must do."""
    loop.add_signal_handler(signal.SIGUSR1, loop.stop)
    for _ in range(50):
        thread = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGUSR1))
        thread.start()
        run_until_stopped(loop)
        thread.join()
    loop.remove_signal_handler(signal.SIGUSR1)


def test_a_handler_of_pythons_own_wakes_an_idle_loop_too(loop: Loop) -> None:
    """It may schedule something, as frameworks do that set `signal.signal` themselves."""
    before = signal.signal(signal.SIGUSR2, lambda *_: loop.call_soon_threadsafe(loop.stop))
    thread = when_idle(lambda: os.kill(os.getpid(), signal.SIGUSR2))
    run_until_stopped(loop)
    thread.join()
    signal.signal(signal.SIGUSR2, before)


def test_several_signals_are_all_handled(loop: Loop) -> None:
    seen: list[str] = []

    def handle(name: str) -> None:
        seen.append(name)
        if len(seen) == 2:
            loop.stop()

    loop.add_signal_handler(signal.SIGUSR1, handle, "first")
    loop.add_signal_handler(signal.SIGUSR2, handle, "second")
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR2)
    run_until_stopped(loop)
    assert sorted(seen) == ["first", "second"]
    loop.remove_signal_handler(signal.SIGUSR1)
    loop.remove_signal_handler(signal.SIGUSR2)


def test_a_child_that_ends_can_be_handled(loop: Loop) -> None:
    loop.add_signal_handler(signal.SIGCHLD, loop.stop)
    child = subprocess.Popen([sys.executable, "-c", ""])
    run_until_stopped(loop)
    assert child.wait(LIMIT_S) == 0
    assert loop.remove_signal_handler(signal.SIGCHLD)


def test_an_interrupt_leaves_an_idle_loop(loop: Loop) -> None:
    thread = when_idle(lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        run_until_stopped(loop)
    thread.join()
    turn(loop)


def test_closing_removes_the_handlers(make_loop: Factory) -> None:
    loop = make_loop()
    loop.add_signal_handler(signal.SIGUSR1, print)
    loop.close()


def test_what_cannot_be_handled_is_refused(loop: Loop) -> None:
    handlers: Any = loop
    with pytest.raises(RuntimeError, match="cannot be caught"):
        handlers.add_signal_handler(signal.SIGKILL, print)
    with pytest.raises(ValueError, match="invalid signal number"):
        handlers.add_signal_handler(1000, print)
    with pytest.raises(TypeError):
        handlers.add_signal_handler("SIGINT", print)

    async def coroutine() -> None:
        """Be no callback."""

    with pytest.raises(TypeError, match="coroutines cannot be used"):
        handlers.add_signal_handler(signal.SIGUSR1, coroutine)


def test_another_thread_cannot_handle_signals(loop: Loop) -> None:
    told: list[BaseException] = []

    def add() -> None:
        try:
            loop.add_signal_handler(signal.SIGUSR1, print)
        except (RuntimeError, ValueError) as error:
            told.append(error)

    thread = threading.Thread(target=add)
    thread.start()
    thread.join()
    assert len(told) == 1


def test_a_signal_that_comes_while_nothing_of_pythons_runs_is_handled_before_the_wait(
    loop: Loop,
) -> None:
    """The kernel sends it while what a callback wrote is sent, after the callback's last step."""
    ours, theirs = sockets(socket.AF_UNIX)
    protocol = Recorder()
    transport = run(loop, connect(ours, protocol))
    before = signal.signal(signal.SIGIO, lambda *_: loop.stop())
    flags = fcntl.fcntl(theirs, fcntl.F_GETFL)
    fcntl.fcntl(theirs, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(theirs, fcntl.F_SETFL, flags | os.O_ASYNC)
    loop.call_soon(transport.write, b"x")
    run_until_stopped(loop)
    fcntl.fcntl(theirs, fcntl.F_SETFL, flags)
    signal.signal(signal.SIGIO, before)
    theirs.close()
    run(loop, protocol.lost())
