"""Random programs, by fixed seeds: the scheduler against a model, connections with faults."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from loop.running import BufferedRecorder, Loop, Recorder, run, talk, turn

if TYPE_CHECKING:
    from collections.abc import Callable

#: Each seed is another program.
SEEDS = range(40)


@dataclass
class Program:
    """Callbacks that schedule others and cancel some, told by numbers alone.

    What a callback does depends on its number only, so that the model and the loop can run the
    same program.
    """

    seed: int
    #: So many callbacks are scheduled in all.
    size: int = 400

    def deeds(self, number: int) -> list[tuple[str, int]]:
        """Give what the callback of this number does."""
        source = random.Random(self.seed * 100_003 + number)
        kinds = source.choices(["soon", "timer", "threadsafe", "cancel"], [4, 3, 1, 2], k=3)
        return [(kind, source.randrange(1, 1_000_000)) for kind in kinds[: source.randrange(4)]]


@dataclass
class Model:
    """What asyncio does: ready ones first, then due timers; what is new waits for the next turn."""

    program: Program
    trace: list[int] = field(default_factory=list)
    ready: deque[int] = field(default_factory=deque)
    timers: list[tuple[int, int]] = field(default_factory=list)
    cancelled: set[int] = field(default_factory=set)
    made: int = 0

    def do(self, kind: str, value: int) -> None:
        """Schedule or cancel."""
        if kind == "cancel":
            self.cancelled.add(value % max(self.made, 1))
            return
        if self.made == self.program.size:
            return
        if kind == "timer":
            # Numbers keep times apart: a heap does not say which of two equal ones is first.
            heapq.heappush(self.timers, (value * 1000 + self.made, self.made))
        else:
            self.ready.append(self.made)
        self.made += 1

    def turn(self) -> None:
        """Run one turn; all timers are due."""
        while self.timers:
            self.ready.append(heapq.heappop(self.timers)[1])
        for _ in range(len(self.ready)):
            number = self.ready.popleft()
            if number not in self.cancelled:
                self.trace.append(number)
                for deed in self.program.deeds(number):
                    self.do(*deed)


class Actual:
    """The same on a loop. Its times are long past, so that every timer is due."""

    def __init__(self, loop: Loop, program: Program) -> None:
        self.program = program
        self.trace: list[int] = []
        self.handles: list[asyncio.Handle] = []
        self._ways: dict[str, Callable[..., asyncio.Handle]] = {
            "soon": loop.call_soon,
            "threadsafe": loop.call_soon_threadsafe,
        }
        self._call_at = loop.call_at

    def do(self, kind: str, value: int) -> None:
        """Schedule or cancel."""
        number = len(self.handles)
        if kind == "cancel":
            if self.handles:
                self.handles[value % number].cancel()
            return
        if number == self.program.size:
            return
        if kind == "timer":
            when = (value * 1000 + number) * 1e-9 - 1000
            self.handles.append(self._call_at(when, self.called, number))
        else:
            self.handles.append(self._ways[kind](self.called, number))

    def called(self, number: int) -> None:
        """Do what the callback of this number does."""
        self.trace.append(number)
        for deed in self.program.deeds(number):
            self.do(*deed)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_scheduler_runs_what_asyncio_would_in_its_order(loop: Loop, seed: int) -> None:
    program = Program(seed)
    model, actual = Model(program), Actual(loop, program)
    for number in range(20):
        for runner in (model, actual):
            runner.do(("soon", "timer")[number % 2], number * 7919 % 1000)
    for _ in range(60):
        model.turn()
        turn(loop)
        assert actual.trace == model.trace
    assert len(actual.trace) >= 20


@dataclass
class Side:
    """One end of a connection in a random program."""

    protocol: Recorder | BufferedRecorder
    sent: bytearray = field(default_factory=bytearray)
    #: What it did not send for sure: it was aborted.
    is_aborted: bool = False
    has_ended: bool = False

    def act(self, source: random.Random) -> None:
        """Do something that is allowed now."""
        transport = self.protocol.transport
        deed = source.choices(
            ["write", "writelines", "pause", "resume", "eof", "close", "abort"],
            [30, 8, 5, 8, 0.3, 0.3, 0.2],
        )[0]
        if deed in {"write", "writelines"} and not self.has_ended and not transport.is_closing():
            pieces = [
                source.randbytes(int(source.paretovariate(0.6)) % 200_000)
                for _ in range(1 if deed == "write" else source.randrange(5))
            ]
            self.sent += b"".join(pieces)
            if deed == "write":
                transport.write(source.choice([bytes, bytearray, memoryview])(pieces[0]))
            else:
                transport.writelines(pieces)
        elif deed == "pause":
            transport.pause_reading()
        elif deed == "resume":
            transport.resume_reading()
        elif deed == "eof":
            self.has_ended = self.has_ended or not transport.is_closing()
            transport.write_eof()
        elif deed == "close":
            transport.close()
        elif deed == "abort":
            self.is_aborted = True
            transport.abort()


def protocol(source: random.Random) -> Recorder | BufferedRecorder:
    """Make one that is given bytes, or one that lends a buffer of some size."""
    if source.randrange(2):
        return Recorder()
    return BufferedRecorder(source.randrange(1, 70_000))


@pytest.mark.parametrize("seed", SEEDS)
def test_connections_deliver_a_beginning_of_what_was_sent_and_end_once(
    loop: Loop, unhandled: list[dict[str, object]], seed: int
) -> None:
    source = random.Random(seed)

    async def main() -> tuple[Side, Side]:
        sides = Side(protocol(source)), Side(protocol(source))
        await talk(*(side.protocol for side in sides))
        for _ in range(150):
            for _ in range(source.randrange(4)):
                source.choice(sides).act(source)
            await asyncio.sleep(0)
        for side in sides:
            side.protocol.transport.resume_reading()
        first, second = sides
        first.protocol.transport.close()
        if second.protocol.transport.is_closing():
            # Neither reads any more, so both could wait for ever for the other to take what is
            # left.
            first.is_aborted = True
            first.protocol.transport.abort()
        for side in sides:
            await side.protocol.lost()
        return sides

    sides = run(loop, main())
    assert unhandled == []
    for own, other in (sides, sides[::-1]):
        calls = own.protocol.calls
        assert calls.count("connection_made") == calls.count("connection_lost") == 1
        assert calls[0] == "connection_made"
        assert calls[-1] == "connection_lost"
        assert calls.count("eof_received") <= 1
        assert calls.count("pause_writing") - calls.count("resume_writing") in {0, 1}
        assert other.sent.startswith(own.protocol.received)
        if "eof_received" in calls and not other.is_aborted:
            assert own.protocol.received == other.sent
