"""The watchdog and the metrics of Corrente's loop: what stalls are made of, and what is counted.

A stall is the subject here, so these tests do sleep: on the loop, which must not.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import math
import re
import sqlite3
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

import pytest

import corrente
from loop.running import Echo, Recorder, connect, end, run, sockets, talk
from loop.watching import only, run_task, watched

__all__ = ["watched"]

#: Seconds that the tests' stalls last, and what a clock may miss of them.
STALL_S = 0.02
CLOSE_S = 0.003

#: Nobody's stall: the tests that look for none use it.
ENOUGH_S = 0.3


def wait_for_watchdogs(count: int) -> None:
    """Wait until this process has so many: a thread names itself, and is gone a little late."""
    while count_watchdogs() != count:
        time.sleep(0)


def count_watchdogs() -> int:
    """Count the threads with the watchdog's name."""
    names = []
    for file in Path("/proc/self/task").glob("*/comm"):
        # One that has just ended cannot be read any more.
        with contextlib.suppress(OSError):
            names.append(file.read_text().strip())
    return names.count("corrente-watch")


def blocks() -> None:
    time.sleep(STALL_S)


def test_a_blocking_call_is_named_with_its_task(watched: corrente.EventLoop) -> None:
    async def main() -> None:
        blocks()

    begin = watched.time()
    run_task(watched, main(), "sleeper")
    stall = only(watched, "sleeper")
    assert begin <= stall.started <= watched.time() - STALL_S
    assert STALL_S <= stall.duration <= watched.time() - begin
    assert stall.cpu < CLOSE_S
    # A busy machine lets a thread that has slept wait for a processor.
    assert stall.blocked + stall.queued >= STALL_S - CLOSE_S
    assert stall.duration == pytest.approx(stall.cpu + stall.queued + stall.blocked)
    assert stall.call == "time.sleep(STALL_S)"
    assert stall.system_call in ("clock_nanosleep", "nanosleep", "select")
    assert stall.callback == "test_a_blocking_call_is_named_with_its_task.<locals>.main"
    names = [frame.name for frame in stall.stack]
    assert names[-2:] == [stall.callback, "blocks"]
    assert stall.stack[-1].filename == __file__
    assert "time.sleep(STALL_S)" in stall.stack.format()[-1]
    text = str(stall)
    assert "blocked in" in text
    assert "in task sleeper (" in text
    assert f"{__file__}:{stall.stack[-1].lineno} in blocks" in text


def test_a_stall_is_the_same_object_each_time(watched: corrente.EventLoop) -> None:
    async def main() -> None:
        time.sleep(STALL_S)  # noqa: ASYNC251

    run_task(watched, main(), "sleeper")
    assert only(watched, "sleeper") is only(watched, "sleeper")


def test_work_is_told_from_blocking(watched: corrente.EventLoop) -> None:
    async def main() -> None:
        until = time.thread_time() + STALL_S
        while time.thread_time() < until:
            pass

    run_task(watched, main(), "worker")
    stall = only(watched, "worker")
    assert stall.cpu >= STALL_S - CLOSE_S
    assert stall.blocked < CLOSE_S
    assert stall.stack[-1].name.endswith("<locals>.main")


def test_c_code_that_holds_the_gil_is_seen(watched: corrente.EventLoop) -> None:
    # Each further letter doubles the time; nothing else of Python runs meanwhile.
    text = "a" * 24 + "b"

    async def main() -> None:
        assert re.match(r"(a+)+$", text) is None

    run_task(watched, main(), "matcher")
    stall = only(watched, "matcher")
    assert stall.duration > STALL_S
    assert stall.cpu > stall.blocked
    assert stall.call == 're.match(r"(a+)+$", text)'
    assert stall.package == "re"
    assert [frame.name for frame in stall.stack][-1] == "match"


def test_a_library_in_c_is_named(watched: corrente.EventLoop, tmp_path: Path) -> None:
    path = tmp_path / "locked.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("begin exclusive")
    waiting = sqlite3.connect(path, timeout=STALL_S, isolation_level=None)

    named = r'in task query .*: waiting\.execute\("create table numbers .*"\) of \S*sqlite3'

    async def main() -> None:
        # The watchdog looks once at such a short one. SQLite waits in several sleeps, and a busy
        # machine lets a thread wait for a processor between them: it is in no library then.
        while not any(re.search(named, str(stall)) for stall in watched.stalls()):
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                waiting.execute("create table numbers (number)")
            await asyncio.sleep(0)

    # SQLite tries again after 1, 3 and 8 ms (its `busyTimeout`): this is in the middle of a wait.
    watched.watch(0.005)
    run_task(watched, main(), "query")
    waiting.close()
    holder.close()


def test_a_callback_and_a_protocol_are_named(watched: corrente.EventLoop) -> None:
    class Slow(Recorder):
        def data_received(self, data: bytes) -> None:
            blocks()
            super().data_received(data)

    def seen() -> dict[str | None, str | None]:
        stalls = watched.stalls()
        return {one.callback: one.task for one in stalls if one.call == "time.sleep(STALL_S)"}

    async def main() -> None:
        while len(seen()) < 2:  # a busy machine's watchdog may miss one
            watched.call_soon(blocks)
            client, server = Recorder(), Slow()
            (await talk(client, server))[0].write(b"x")
            await server.has(1)
            await end(client, server)

    run(watched, main())
    assert seen() == {"blocks": None, Slow.__qualname__: None}


def test_a_request_is_what_the_user_says_it_is(
    watched: corrente.EventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    number = contextvars.ContextVar[int]("number")

    def request() -> str:
        return f"GET /{number.get()}"

    async def handle(which: int) -> None:
        number.set(which)
        blocks()

    async def main() -> None:
        corrente.watch(request=request)
        await asyncio.gather(handle(1), handle(2))

    with caplog.at_level(logging.WARNING, "corrente.stalls"):
        run(watched, main())
    # What it ran the loop knows; what it was in, a busy machine's watchdog may have seen elsewhere.
    found = [stall for stall in watched.stalls() if (stall.callback or "").endswith(".handle")]
    assert [stall.request for stall in found] == ["GET /1", "GET /2"]
    messages = [record.message for record in caplog.records if "GET /2" in record.message]
    assert len(messages) == 1
    # A busy machine lets it sleep longer.
    assert messages[0].startswith(f"the event loop stalled for {found[1].duration * 1000:.1f} ms")


def test_a_request_that_fails_is_told_and_does_no_harm(
    watched: corrente.EventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    def request() -> str:
        raise LookupError("nobody knows")

    async def main() -> None:
        blocks()

    watched.watch(request=request)
    run_task(watched, main(), "sleeper")
    assert only(watched, "sleeper").request is None
    assert "nobody knows" in caplog.text


@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="there is no GIL to wait for"
)
def test_waiting_for_the_gil_is_a_stall(watched: corrente.EventLoop) -> None:
    over = threading.Event()

    def spin() -> None:
        while not over.is_set():
            sum(range(100))

    async def main() -> None:
        while not any("the GIL" in str(stall) for stall in watched.stalls()):  # noqa: ASYNC110
            # Each of these waits ends with one for the lock.
            await asyncio.sleep(0.001)

    thread = threading.Thread(target=spin)
    before = sys.getswitchinterval()
    # Who wants the lock waits so long for it.
    sys.setswitchinterval(STALL_S)
    thread.start()
    try:
        run(watched, main())
    finally:
        over.set()
        thread.join()
        sys.setswitchinterval(before)


def test_waiting_for_something_to_do_is_none(watched: corrente.EventLoop) -> None:
    async def main() -> None:
        await asyncio.sleep(3 * ENOUGH_S)

    watched.watch(ENOUGH_S)
    run(watched, main())
    assert watched.stalls() == []
    found = watched.metrics()
    assert found.stall.count == 0
    assert found.idle > found.busy


def test_shorter_ones_than_the_threshold_do_not_count(watched: corrente.EventLoop) -> None:
    async def main() -> None:
        blocks()

    watched.watch(60)
    run(watched, main())
    assert watched.stalls() == []
    assert watched.metrics().stall.count == 0


def test_a_watch_can_end_and_begin_again(watched: corrente.EventLoop) -> None:
    async def main() -> None:
        blocks()

    watched.watch(None)
    run_task(watched, main(), "first")
    assert watched.stalls() == []
    wait_for_watchdogs(0)

    async def begin() -> None:
        watched.watch()
        await watched.create_task(main(), name="second")

    run(watched, begin())
    assert only(watched, "second").duration >= STALL_S
    wait_for_watchdogs(1)


@pytest.mark.parametrize("threshold", [0, -1, 0.0009, 1e9, math.nan, math.inf])
def test_a_threshold_has_a_range(watched: corrente.EventLoop, threshold: float) -> None:
    with pytest.raises(ValueError, match=r"from 0\.001 to 3600 seconds, not "):
        watched.watch(threshold)


@pytest.mark.parametrize("threshold", ["1", True, b"1"])
def test_a_threshold_is_a_number(watched: corrente.EventLoop, threshold: float) -> None:
    with pytest.raises(TypeError, match="must be a number of seconds or None, not "):
        watched.watch(threshold)


def test_other_loops_have_no_watchdog() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match=r"which has no watchdog; run .* corrente\.run"):
            corrente.watch()

    asyncio.run(main())
    with pytest.raises(RuntimeError, match="no running event loop"):
        corrente.watch()


def test_the_watchdog_ends_with_its_loop() -> None:
    wait_for_watchdogs(0)
    loop = corrente.new_event_loop()
    assert count_watchdogs() == 0, "a loop that does not run has none"
    for _ in range(3):
        run(loop, asyncio.sleep(0))
        wait_for_watchdogs(1)
    loop.close()
    wait_for_watchdogs(0)
    with pytest.raises(RuntimeError, match="closed"):
        loop.watch()
    assert loop.stalls() == []
    assert loop.metrics().ready == 0


FORKS = """
import asyncio, os, time, corrente

async def main():
    child = os.fork()
    if not child:
        # Since 3.14 an interpreter forgets in a child that a loop runs.
        asyncio._set_running_loop(loop)
    time.sleep(0.02)
    await asyncio.sleep(0)
    return child

loop = corrente.new_event_loop()
child = loop.run_until_complete(main())

async def again():
    time.sleep(0.02)

if not child:
    loop.run_until_complete(loop.create_task(again(), name="again"))
    gone_on, ran = [stall for stall in loop.stalls() if stall.duration > 0.019]
    # The parent's watchdog is not here; the loop measures by itself.
    assert not gone_on.stack, gone_on
    assert ran.task == "again", ran
    assert ran.stack[-1].name == "again", ran
    loop.close()
    own = corrente.new_event_loop()
    own.run_until_complete(own.create_task(again(), name="own"))
    assert "own" in [stall.task for stall in own.stalls()], own.stalls()
    own.close()
    os._exit(0)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0, status
assert [stall for stall in loop.stalls() if stall.duration > 0.019], loop.stalls()
loop.close()
"""


def test_the_child_of_a_fork_has_a_watchdog_of_its_own() -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKS]
    subprocess.run(command, check=True, timeout=30)


ALONE = """
import asyncio, os, corrente

def threads():
    return len(os.listdir("/proc/self/task"))

async def main():
    before = threads()
    child = os.fork()
    if not child:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert threads() == before == 2, (threads(), before)
    corrente.watch(None)
    os.fork() or os._exit(0)
    assert threads() == 1, "it is not wanted"

corrente.run(main())
"""


def test_a_program_of_one_thread_forks_without_a_warning() -> None:
    """Python 3.12 and newer warn of threads that a child does not have."""
    command = [sys.executable, "-W", "error", "-c", ALONE]
    subprocess.run(command, check=True, timeout=30)


def test_what_a_loop_does_is_counted(watched: corrente.EventLoop) -> None:
    async def main() -> None:
        client, server = Recorder(), Echo()
        transport, _ = await talk(client, server)
        watched.call_later(60, blocks)
        transport.write(b"x" * 1000)
        await client.has(1000)
        found = watched.metrics()
        assert (found.transports, found.received, found.sent) == (2, 2000, 2000)
        assert found.timers >= 1
        for _ in range(5):
            watched.call_soon(lambda: None)
        assert watched.metrics().ready >= 5
        await end(client, server)
        blocks()

    run(watched, main())
    found = watched.metrics()
    assert found.transports == 0
    assert found.callbacks >= found.turns > 0
    assert found.busy >= STALL_S
    assert found.turn.max >= STALL_S
    for histogram in (found.turn, found.lag, found.stall):
        counts = [count for _, count in histogram.buckets]
        assert counts == sorted(counts)
        assert counts[-1] == histogram.count
        assert histogram.buckets[-1][0] == math.inf
    assert found.stall.count >= 1
    short = dict(found.stall.buckets)
    assert short[0.01] < found.stall.count, "it is longer than that"
    assert found.stall.sum >= STALL_S
    stalled = found.stalled_cpu + found.stalled_queued + found.stalled_blocked
    assert stalled == pytest.approx(found.stall.sum)


def test_plain_sockets_are_counted(watched: corrente.EventLoop) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        with ours, theirs:
            await watched.sock_sendall(ours, b"x" * 100)
            assert await watched.sock_recv(theirs, 1000) == b"x" * 100
            buffer = bytearray(10)
            await watched.sock_sendall(theirs, b"y")
            assert await watched.sock_recv_into(ours, buffer) == 1

    run(watched, main())
    found = watched.metrics()
    assert (found.received, found.sent) == (101, 101)


def test_a_timer_that_is_late_is_counted(watched: corrente.EventLoop) -> None:
    async def main() -> None:
        watched.call_later(STALL_S / 10, lambda: None)
        blocks()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    run(watched, main())
    assert watched.metrics().lag.max >= STALL_S / 2


def test_a_transport_that_nobody_closes_does_not_count_for_ever(
    watched: corrente.EventLoop,
) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        with theirs:
            protocol = Recorder()
            await connect(ours, protocol)
            # The loop holds on to it as long as it reads.
            protocol.transport.pause_reading()
            assert watched.metrics().transports == 1
            with pytest.warns(ResourceWarning, match="unclosed transport"):
                protocol.transport = None

    run(watched, main())
    assert watched.metrics().transports == 0


LINE = re.compile(r'(corrente_loop_\w+)(\{(?:\w+="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)')


def test_prometheus_can_read_it(watched: corrente.EventLoop) -> None:
    async def main() -> None:
        blocks()

    run(watched, main())
    text = watched.prometheus(loop='the "main"\none\\')
    assert text.endswith("\n")
    helped, typed, values = set(), {}, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            helped.add(line.split()[2])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            typed[name] = kind
        else:
            found = LINE.fullmatch(line)
            assert found, line
            assert r'loop="the \"main\"\none\\"' in found[2]
            values[found[1] + found[2]] = float(found[3])
            family = re.sub("_(bucket|sum|count)$", "", found[1])
            assert family in typed or found[1] in typed, line
    assert helped == set(typed)
    assert set(typed.values()) == {"gauge", "counter", "histogram"}
    infinite = [name for name in values if "stall_seconds_bucket" in name and "+Inf" in name]
    assert values[infinite[0]] == watched.metrics().stall.count >= 1
    assert "{" not in re.sub(r'\{le="[^"]*"\}', "", watched.prometheus())


@pytest.mark.parametrize("name", ["", "1st", "a-b", "le", "a b", "ü"])
def test_a_label_has_a_name_that_prometheus_takes(watched: corrente.EventLoop, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a label"):
        watched.prometheus(**{name: "value"})
    with pytest.raises(TypeError, match="must be a string"):
        watched.prometheus(loop=1)  # type: ignore[arg-type]


def test_another_thread_may_ask(watched: corrente.EventLoop) -> None:
    told: list[tuple[int, int]] = []

    def ask() -> None:
        found = watched.metrics()
        told.append((found.turns, len(watched.stalls())))
        watched.call_soon_threadsafe(watched.stop)

    async def main() -> None:
        blocks()

    run_task(watched, main(), "sleeper")
    thread = threading.Thread(target=ask)
    watched.call_soon(thread.start)
    watched.run_forever()
    thread.join()
    turns, stalls = told[0]
    assert turns > 0
    assert stalls >= 1


def test_a_log_that_fails_does_not_end_the_loop(watched: corrente.EventLoop) -> None:
    def fail(_record: logging.LogRecord) -> bool:
        raise ZeroDivisionError

    async def main() -> None:
        time.sleep(STALL_S)  # noqa: ASYNC251 - a stall is what this is about
        await asyncio.sleep(0)

    told: list[object] = []
    watched.set_exception_handler(lambda _loop, context: told.append(context["exception"]))
    logger = logging.getLogger("corrente.stalls")
    logger.addFilter(fail)
    try:
        watched.watch()
        run_task(watched, main(), "slow")
    finally:
        logger.removeFilter(fail)
    assert {type(error) for error in told} == {ZeroDivisionError}


def test_a_callback_that_tells_nothing_of_itself_does_not_end_the_loop(
    watched: corrente.EventLoop,
) -> None:
    class Silent:
        """As a proxy of what is not there."""

        def __call__(self) -> None:
            time.sleep(STALL_S)

        def __getattr__(self, name: str) -> object:
            raise ZeroDivisionError(name)

    told: list[object] = []
    watched.set_exception_handler(lambda _loop, context: told.append(context["exception"]))
    watched.call_soon(Silent())
    run(watched, asyncio.sleep(0))
    assert {type(error) for error in told} == {ZeroDivisionError}
